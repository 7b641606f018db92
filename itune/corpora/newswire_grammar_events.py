"""What the newswire grammar says of sport and events; see `newswire_lexicon` for the notation.

Per subject: ``event`` and ``detail`` are clauses in the past tense, ``source`` is somebody who
speaks and ``quote`` something they say. Other rules of a subject are its own.
"""

EVENTS = {
    "football": {
        "event": """
<team> beat <team> #2-5-#0-1 at home in the <@cup> before a crowd of #6-74,#100-999
<nat> <@player> <person> scored in the #2-89th minute to give <team> a draw with <team>
<team> signed <@player> <person> from <team> for a fee of <money>
<person> missed a penalty as <team> lost #0-1-#2-4 to <team> in the <@cup>
<team> moved <few> points clear at the top of the <nat> league with a win over <team>
referee <person> sent off two players when <team> met <team> in the <@cup>
<country> qualified for the World Cup with a #2-6-#0-1 win over <country>
<team> dismissed coach <person> with only #3-12 matches of the season left
""",
        "detail": """
<@player> <person> limped off with a <@body> injury
<team> missed a string of chances in the opening half
goalkeeper <person> was beaten by a free kick from #18-35 metres
heavy rain turned the pitch into a swamp
the visitors played most of the match with ten men
the club 's supporters staged a noisy protest against the board
<person> was suspended for <few> matches
""",
        "source": """
coach <person>|team captain <person>|<team> manager <person>|a club official
former <@player> <person>
the team 's doctor , <person> ,|the president of <team>
""",
        "quote": """
we were second best in every part of the pitch
the boys showed great heart and I am proud of them
I have rarely seen a worse decision by a referee
we will need a far better performance in <city>
""",
        "player": "striker|midfielder|defender|winger|goalkeeper|full back|sweeper",
        "cup": """
National Cup|League Cup|second division|premier division|Champions Trophy|quarter-finals
semi-finals|World Cup
""",
        "body": "knee|ankle|thigh|shoulder|calf|hamstring|groin",
    },
    "sport": {
        "event": """
<person> of <country> won the <@race> in <city> by #1-9.#10-99 seconds from <person>
<nat> <@athlete> <person> set a <nat> record in the <@race> in <city>
<ordinal> seed <person> of <country> beat <person> 6-#0-4 7-#5-6 in the <@round> in <city>
<country> were #120-380 for <few> in reply to <country> 's #250-499 in the <ordinal> test in <city>
<person> ( <country> ) led <person> ( <country> ) by #2-48 seconds overall in the tour of <country>
<nat> golfer <person> shot a #63-69 to take a #2-6-stroke lead in the <city> Open
<city> beat <city> #81-124-#60-80 in the <@round> of the <nat> basketball league
former champion <person> withdrew from the <@race> in <city> with a sore <@limb>
""",
        "detail": """
strong winds held up the start by #12-90 minutes
<person> of <country> tested clear of banned drugs
the favourite , <person> , fell on the final bend
play was held up <few> times by rain
the defending champion struggled with a strained <@limb>
<person> saved <few> match points in the deciding set
organisers shortened the course by #2-30 kilometres
""",
        "source": """
race director <person>|the winner 's coach , <person> ,|<nat> <@athlete> <person>
tournament organisers
team manager <person>|the sport 's governing body|Olympic champion <person>
""",
        "quote": """
I felt strong all week and the <@race> suited me
this is the best day of my career by a long way
my <@limb> was hurting , but I told myself to keep going
I made too many mistakes and I paid for them
""",
        "race": """
women 's marathon|men 's 100 metres|women 's slalom|men 's downhill|400 metres hurdles|triathlon
800 metres freestyle|ninth stage|relay|women 's high jump|opening time trial|steeplechase
""",
        "athlete": "sprinter|cyclist|swimmer|hurdler|rower|skier|gymnast|runner|biathlete|jumper",
        "round": "first round|second round|third round|quarter-final|semi-final|final",
        "limb": "back|wrist|elbow|hip|foot|neck|tendon",
    },
    "weather": {
        "event": """
<@storm> with winds of #90-240 kph struck the <region> coast of <country>
<@flood> forced about #2-40,000 <people> from their homes in <region> <country>
heavy snow cut off #12-90 villages in the hills above <city>
temperatures in <city> <@temperature> #2-19 degrees in a single night
<@storm> tore the roofs from #20-300 houses on the outskirts of <city>
the worst drought in #11-60 years destroyed <crop> across <region> <country>
<@flood> swept away a <building> and <few> roads near <city>
fog closed the airport of <city> for #3-20 hours and stranded <number> flights
""",
        "detail": """
#40-300 millimetres of rain fell in #12-48 hours
rivers burst their banks in <few> districts
the weather service issued only a mild warning
rescue teams from <country> were held up by blocked roads
power lines were down in much of <city>
forecasters expected the worst to be over
emergency shelters ran short of blankets and drinking water
""",
        "source": """
forecaster <person>|the <nat> weather service|a relief official in <city>|governor <person>
civil defence chief <person>|a meteorologist in <city>|the head of the rescue team , <person> ,
""",
        "quote": """
the water came so fast that nobody had time to pack
in #30-70 years I have never seen a storm like this one
we need tents , medicine and above all clean water
the worst has passed , but the ground cannot take more rain
""",
        "storm": """
a tropical storm|a tornado|a typhoon|a hurricane|a violent gale|a hailstorm|a blizzard
""",
        "flood": """
flash floods|mudslides|floods|torrential rain|melting snow|tidal waves|landslides
""",
        "temperature": "plunged by|soared by|dropped by|rose by",
    },
    "accidents": {
        "event": """
<number> people were <@hurt> when a <vehicle> collided with a <vehicle> near <city>
a <vehicle> carrying #12-240 <people> <@crashed> on the road from <city> to <city>
a fire in a <building> in <city> killed <few> people and injured #11-60 others
an explosion at a <material> works in <region> <country> left <number> workers <@injured>
a <nat> <@vessel> with #14-95 people on board <@sank> off the coast of <country>
rescuers pulled <few> survivors from the ruins of a <building> that collapsed in <city>
an oil spill from a <nat> tanker fouled #5-90 kilometres of beaches in <country>
a strong earthquake shook <region> <country> and damaged a <building> in <city>
""",
        "detail": """
the driver of the <vehicle> fell asleep at the wheel
the brakes of the <vehicle> failed on a steep hill
firemen fought the blaze for #3-20 hours
the crew sent a distress call at #1-11.#10-59 a.m.
inspectors found <few> faults in the safety system in <month>
gas leaked from a pipe laid in #1952-1989
the <building> was being repaired by <company>
""",
        "source": """
fire chief <person>|police in <city>|a coastguard officer|hospital director <person>
a survivor , <person> ,
a railway spokesman|chief investigator <person>|a transport official in <city>
""",
        "quote": """
I heard a loud bang and then everything went dark
it is a miracle that anybody got out alive
we are looking at every possible cause , including human error
the <vehicle> should never have been on the road
""",
        "hurt": "killed|injured|badly burned|slightly hurt|treated for shock|missing|feared dead",
        "injured": "badly burned|in hospital|missing|feared dead|with broken bones",
        "vessel": "ferry|trawler|cargo ship|fishing boat|tanker|yacht|barge|cruise ship|tug",
        "sank": "sank|capsized|ran aground|caught fire|lost its rudder|drifted for hours",
        "crashed": """
overturned|caught fire|broke down|skidded|was badly damaged|was struck by lightning
""",
    },
    "health": {
        "event": """
an outbreak of <disease> killed #11-190 people in <region> <country>
researchers in <city> found that <@food> <@altered> the risk of <@illness> by <percent>
the <nat> Health Ministry <@ordered> <@drug> made by <company>
doctors in <city> treated #30-900 <people> for <disease>
a hospital in <city> used <@drug> on <number> patients with <@illness> in a trial
<body> gave <country> <money> for a campaign against <disease>
a study of #2-90,000 <nat> <people> linked <@food> with <@illness>
surgeons in <city> gave a #2-9-year-old girl a new <@organ> in an operation lasting #5-19 hours
""",
        "detail": """
cases of <disease> doubled in <few> weeks
clinics in <city> ran out of vaccine
tests on <@drug> showed few side effects
<number> nurses fell ill with <disease>
a report in a medical journal questioned earlier results
drinking water in <city> was found to be contaminated
health insurers refused to pay for <@drug>
""",
        "source": """
Dr <person>|Professor <person> of the University of <city>|a health official in <city>
the hospital 's director , <person> ,|researcher <person>|a doctor working for <body>
""",
        "quote": """
we can stop <disease> if the vaccine arrives in time
people should not stop eating <@food> because of one study
the patient is awake and asking for breakfast
there is no cause for panic , but there is cause for care
""",
        "altered": "raised|lowered|reduced|increased|cut|doubled and then lowered",
        "ordered": "approved|banned|withdrew|ordered new tests of|recalled|warned against",
        "drug": """
a new painkiller|an experimental vaccine|a common antibiotic|a heart drug|a sleeping pill
a cheap cough syrup|a diet pill|an asthma inhaler
""",
        "illness": """
heart disease|lung cancer|asthma|diabetes|stroke|high blood pressure|migraine|arthritis
skin cancer
""",
        "food": """
red wine|garlic|coffee|olive oil|salted fish|green tea|butter|smoked meat|chocolate
""",
        "organ": "heart|liver|kidney|lung",
    },
    "science": {
        "event": """
<nat> scientists <@found> <@find> in <region> <country>
a <nat> rocket carrying <@payload> <@launched> from a base in <region> <country>
astronomers at an observatory near <city> <@found> <@sky> #12-900 light years away
a team led by <person> of the University of <city> <@mapped> the genes of <@species>
<nat> divers raised <@find> from a wreck lying #20-240 metres under the sea
engineers in <city> tested a <@device> that ran for #12-90 hours without a pause
<nat> biologist <person> counted only #30-900 <@species> in the forests of <country>
a museum in <city> bought <@find> for <money>
""",
        "detail": """
a first attempt in <month> ended in failure
the team spent #3-19 years on the project
signals from <@payload> grew weaker
funds from <body> came to an end
other experts doubted the results
a farmer near <city> stumbled on <@find>
tests showed that the samples were #2-90,000 years old
""",
        "source": """
Professor <person>|space agency official <person>|the team 's leader , <person> ,
astronomer <person>
a museum curator in <city>|physicist <person>|a report in a scientific journal
""",
        "quote": """
this discovery will change what we know about <@species>
we could hardly believe what we saw on the screen
it worked at the <ordinal> attempt , and we all cheered
science needs patience more than it needs money
""",
        "found": "discovered|described|photographed|reported finding|confirmed finding",
        "find": """
the skull of an unknown dinosaur|a Roman mosaic|a Bronze Age boat|a chest of silver coins
a giant meteorite
ancient cave paintings|a fossil fish|a Viking sword|the bones of a mammoth|a stone tablet
""",
        "payload": """
a weather satellite|a telescope|two communications satellites|a probe bound for Mars
""",
        "launched": """
lifted off|exploded seconds after lifting off|failed to lift off|took off safely
""",
        "sky": """
a bright star|a dim star|a large planet|an unusual galaxy|a cloud of dust|a pair of stars
""",
        "mapped": "decoded|mapped|compared|published",
        "device": """
solar car|robot submarine|laser drill|wind turbine|electric engine|computer chip
""",
        "species": """
bats|honeybees|wild tigers|mountain gorillas|sea turtles|frogs|eagles|orchids|wolves
""",
    },
    "culture": {
        "event": """
<nat> <@artist> <person> won the <city> prize for <@work>
<@work> by <@artist> <person> was sold for <money> at an auction in <city>
the <city> festival opened with <@work> by <nat> <@artist> <person>
thieves stole <few> paintings and <@work> from a gallery in <city>
<nat> <@artist> <person> , best known for <@work> , died in <city> at the age of #61-97
a crowd of #3-60,000 heard <@artist> <person> perform in <city>
censors in <country> banned <@work> by <@artist> <person>
the opera house in <city> reopened at a cost of <money>
""",
        "detail": """
critics in <city> gave <@work> a cool reception
tickets were sold out within <few> hours
the jury argued over the prize for <few> days
<person> refused to appear on stage
the <ministry> Ministry cut its grant by <percent>
experts in <country> questioned the signature
restorers worked on <@work> for #2-9 years
""",
        "source": """
festival director <person>|gallery owner <person>|the artist 's agent , <person> ,|critic <person>
the <paper> 's critic|an auctioneer in <city>|a curator from <country>
""",
        "quote": """
it is a work that speaks to everybody , young and old
I had no idea that anyone would pay so much
we wanted to give the stage back to the audience
the public was far kinder than the critics
""",
        "artist": """
novelist|violinist|film director|painter|soprano|poet|sculptor|playwright|pianist|composer|cellist
""",
        "work": """
a book of short stories|a silent film|an early landscape|a bronze statue|an unfinished symphony
a comic opera|a family portrait|a verse drama|a rare manuscript|a piano concerto|a war film
""",
    },
}
