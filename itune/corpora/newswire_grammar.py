"""What the newswire grammar says of public affairs; see `newswire_lexicon` for the notation.

Per subject: ``event`` and ``detail`` are clauses in the past tense, ``source`` is somebody who
speaks and ``quote`` something they say. Other rules of a subject are its own.
"""

PUBLIC_AFFAIRS = {
    "politics": {
        "event": """
<nat> <ministry> Minister <person> <@left> over a <@adjective> law on <@matter>
the <nat> <@chamber> voted #120-310 to #20-115 to <@handle> a <@adjective> bill on <@matter>
the opposition <party> won #21-58 percent of the vote in <@elections> across <country>
President <person> named <person> to lead a <@adjective> commission on <@matter>
<few> deputies left the ruling <party> in protest against a new law on <@matter>
voters in <city> rejected plans for a <@adjective> reform of <@matter>
<person> , the leader of the <party> in <country> , agreed to talks on <@matter>
the government of <country> survived a vote of confidence by only #2-19 votes
the mayor of <city> , <person> , dismissed <few> senior officials in charge of <@matter>
""",
        "detail": """
opinion polls put support for the <party> at #9-47 percent
the <@chamber> put off a debate on <@matter>
a <@adjective> draft on <@matter> was leaked to the newspaper <paper>
thousands of <people> marched through <city> against the plans
the <party> pulled out of the coalition led by <person>
the head of state refused to sign the bill on <@matter>
coalition partners quarrelled over <@matter>
""",
        "source": """
a spokesman for the <party>|<nat> Prime Minister <person>|government aide <person>
party leader <person>|the speaker of the <nat> <@chamber>|a cabinet aide in <city>
political analyst <person>|an official at the <ministry> Ministry
""",
        "quote": """
we shall not bargain over <@matter> behind closed doors
nobody in this <@chamber> can pretend to be surprised
the voters asked for change and they will get it
this is a <@adjective> compromise , but it is better than none
I have no intention of stepping down before <month>
""",
        "left": "resigned|offered to resign|threatened to resign|came under fire|faced a revolt",
        "handle": "adopt|amend|reject|shelve|approve|delay|withdraw",
        "chamber": "parliament|senate|lower house|upper house|national assembly",
        "adjective": "controversial|long-delayed|sweeping|watered-down|disputed|costly|modest|bold",
        "elections": """
local elections|regional elections|general elections|early elections|by-elections
""",
        "matter": """
pensions|taxation|public housing|immigration|local government|military service|broadcasting
privacy
state schools|party finances|land ownership|electoral rules
""",
    },
    "courts": {
        "event": """
a court in <city> sentenced <@accused> to #2-25 years in prison for <@crime>
a <nat> judge <@ruled> <person> , who was accused of <@crime>
prosecutors in <city> charged <few> <@accuseds> with <@crime>
the supreme court of <country> overturned the conviction of <@accused> for <@crime>
a jury in <city> found <person> , <@accused> , guilty of <@crime>
lawyers for <person> appealed against a fine of <money> imposed for <@crime>
an appeals court ordered <company> to pay <money> to <number> former employees
the trial of <person> on charges of <@crime> opened before a packed court in <city>
""",
        "detail": """
the chief witness , <person> , withdrew a statement made in <month>
the defence asked for more time to study #200-900 pages of evidence
investigators found documents in a flat in <city>
the accused pleaded not guilty to <@crime>
two jurors were excused because of illness
an earlier hearing ended in confusion
the key evidence was ruled to be inadmissible
""",
        "source": """
defence lawyer <person>|state prosecutor <person>|a court official in <city>|Judge <person>
a spokesman for the <nat> Justice Ministry|the court 's clerk , <person> ,
a relative of the victims
""",
        "quote": """
my client has nothing to hide and will fight this verdict
the evidence of <@crime> was overwhelming from the start
justice has been slow , but at last it has been done
we will take this case to the highest court in the land
""",
        "ruled": """
acquitted|refused to free|ordered the release of|agreed to extradite|granted bail to
""",
        "accused": """
a former banker|a retired officer|a company director|a shopkeeper|a local councillor
a tax inspector
a customs officer|a businessman from <city>|a football agent|a truck driver
""",
        "accuseds": """
bankers|policemen|customs officers|employees of <company>|civil servants|brokers
""",
        "crime": """
fraud|bribery|tax evasion|perjury|forgery|theft|blackmail|smuggling cigarettes|money laundering
embezzling <money>|insider trading|contempt of court|manslaughter|arson
""",
    },
    "markets": {
        "event": """
shares in <company> <@moved> #2-14 percent to close at #12-240 in <city>
the <nat> <@index> <@moved> #3-88 points to #1-9,#100-999 in <@trade> trading
the dollar <@moved> to #100-129.#10-99 yen and #1-1.#40-79 marks in <city>
<material> prices on the <city> exchange <@moved> by $ #11-90 a tonne to a #3-11-month <@extreme>
<nat> government bonds <@moved> in <@trade> trading , with the ten-year yield at #3-8.#10-99 percent
<month> futures in <crop> <@moved> by #2-19 cents a bushel in <city> in <@trade> trading
gold <@moved> to $ #290-420 an ounce in <@trade> dealings in <city>
""",
        "detail": """
dealers in <city> waited for inflation figures due <next>
the central bank of <country> left interest rates unchanged at #3-9 percent
investors took profits in <material> and banking shares
<company> reported a fall of <percent> in quarterly earnings
traders spoke of <@trade> demand from pension funds
foreign buyers stayed away ahead of a holiday in <country>
a sell-off in <city> spread to smaller exchanges
""",
        "source": """
a dealer at <company>|brokers in <city>|analyst <person> of <company>
one <material> trader in <city>
fund manager <person>|an economist at <company>|traders
""",
        "quote": """
there were simply more sellers than buyers today
the market has been looking for an excuse to move
people are nervous and nobody wants to hold <material> over the weekend
we expect rates in <country> to come down <next>
""",
        "moved": """
fell|rose|slipped|climbed|dropped|edged up|edged down|recovered|jumped|tumbled|eased
""",
        "index": """
all-share index|stock index|blue-chip index|bond index|mining index|industrial index
""",
        "trade": "light|thin|heavy|brisk|nervous|early|late|quiet|volatile|cautious",
        "extreme": "high|low",
    },
    "business": {
        "event": """
<company> agreed to buy <company> of <country> for <money> in cash and shares
<nat> <@maker> <company> <@planned> a plant in <city> at a cost of <money>
<company> cut #200-990 jobs at its <@works> near <city>
<company> posted a <@result> of <money> for the <ordinal> quarter on sales of <money>
<person> stepped down as chairman of <company> and was replaced by <person>
<company> and <company> broke off talks on a joint venture in <country>
regulators in <city> blocked a bid of <money> for <@maker> <company>
the <nat> state sold a stake of <percent> in <company> to private investors
<company> won a contract worth <money> to supply <material> to <country>
""",
        "detail": """
orders from <country> dropped by <percent>
the group was burdened with debts of <money>
shareholders in <city> rejected a first offer
rising <material> prices squeezed profit margins
demand for its <@goods> grew faster than expected
a rival , <company> , opened a factory in <country>
the two boards failed to agree on a price
""",
        "source": """
<company> chairman <person>|a company spokeswoman|finance director <person>|industry analysts
managing director <person>|a banker close to the talks|the group 's chief executive , <person> ,
""",
        "quote": """
we see room for growth in <country> and in the rest of the region
this price does not reflect the true value of the company
the market for <@goods> has never been so competitive
our customers want <@goods> at half the price
""",
        "planned": "opened|announced plans for|scrapped plans for|began work on|postponed",
        "maker": """
carmaker|brewer|retailer|steelmaker|drugmaker|publisher|insurer|shipbuilder|toymaker|food group
""",
        "works": """
assembly plant|head office|shipyard|mill|refinery|printing works|main depot|foundry
""",
        "result": "net profit|net loss|pretax profit|pretax loss|record profit|surprise loss",
        "goods": """
compact cars|mobile telephones|frozen foods|washing machines|bicycles|fertilisers|running shoes
tyres
television sets|printers|toys|medicines
""",
    },
    "diplomacy": {
        "event": """
<country> and <country> <@signed> an agreement on <@issue> at a ceremony in <city>
<nat> Foreign Minister <person> <@visited> <city> for <few> days of talks on <@issue>
<country> recalled its ambassador to <country> in a dispute over <@issue>
envoys from <number> countries met in <city> to discuss <@issue>
<body> urged <country> to reopen talks with <country> on <@issue>
<nat> President <person> accepted an invitation to visit <country> in <month>
<country> expelled <few> <nat> diplomats accused of spying
<body> sent <number> observers to the border between <country> and <country>
""",
        "detail": """
earlier talks on <@issue> broke down in <city>
<country> lifted a ban on imports of <crop>
<nat> envoy <person> shuttled between the two capitals
a treaty on <@issue> ran out in <month>
the two sides exchanged #20-300 prisoners
<body> offered <money> in aid
relations between <country> and <country> cooled
""",
        "source": """
<nat> envoy <person>|a Western diplomat in <city>|the <nat> foreign ministry|an official of <body>
<nat> ambassador <person>|a senior <nat> negotiator|Foreign Minister <person>
""",
        "quote": """
we have moved closer on <@issue> , but gaps remain
my government will honour every word of the treaty
there can be no progress without trust on both sides
we want good relations with <country> , and we are patient
""",
        "signed": "signed|initialled|agreed to extend|ratified|failed to complete|welcomed",
        "visited": "arrived in|left for|flew to|cancelled a trip to|returned from",
        "issue": """
fishing rights|border crossings|the return of refugees|arms control|water supplies|air traffic
double taxation|trade barriers|oil pipelines|the release of hostages|visas|nuclear safety
""",
    },
    "labour": {
        "event": """
#200-900 <@workers> <@struck> at <company> in <city> over <@grievance>
<@workers> in <country> voted by #51-94 percent for a strike over <@grievance>
a strike by transport workers halted <@service> in <city> for <few> days
the union of <nat> <@workers> accepted a pay rise of #1-9.#1-9 percent
riot police in <city> broke up a march by <number> hundred <@workers> over <@grievance>
<company> dismissed #20-300 <@workers> who refused to work at weekends
unemployment in <country> <@changed> to #4-19.#1-9 percent in <month>
""",
        "detail": """
talks on <@grievance> broke down at midnight
the employers offered only #1-4 percent
a court in <city> declared the strike illegal
<@service> ran with long delays
the union of <@workers> threatened to call out more members
the government promised to spend <money> on training
<company> warned of more job losses
""",
        "source": """
union leader <person>|a spokesman for the employers|chief negotiator <person>
union officials in <city>
<nat> Labour Minister <person>|the head of the strike committee , <person> ,
""",
        "quote": """
our members will not go back until <@grievance> is settled
we have offered all that we can afford
no one wants this strike , but no one should fear it either
there is a deal to be had if both sides show goodwill
""",
        "workers": """
miners|dockers|nurses|pilots|bus drivers|steelworkers|teachers|postal workers|bakers|train drivers
refuse collectors|air traffic controllers
""",
        "struck": "walked out|stopped work|began a hunger strike|staged a sit-in|went on strike",
        "grievance": """
overtime|pay|working hours|safety|holiday pay|job cuts|night shifts|unpaid wages
""",
        "service": """
rail services|flights|mail deliveries|public transport|port traffic|rubbish collection
""",
        "changed": "rose|fell|climbed|dropped|edged up",
    },
    "farming": {
        "event": """
<country> <@traded> #20-900,000 tonnes of <crop> to <country>
the <nat> <crop> harvest <@changed> to #2-9.#1-9 million tonnes , the <@rank> in #4-30 years
farmers near <city> <@protested> against imports of <crop> from <country>
vets in <country> slaughtered #200-990 <animal> suspected of carrying a virus
growers in <region> <country> lost <percent> of their <crop> to <@pest>
<body> lent <country> <money> to modernise its trade in <crop>
the <nat> government raised the price paid for <crop> to $ #80-390 a tonne
""",
        "detail": """
<@pest> spread from <region> <country>
stocks of <crop> in <city> fell by <percent>
dry weather delayed planting in <few> provinces
exports of <animal> to <country> were suspended
fertiliser prices rose by <percent>
dealers in <city> reported strong demand for <crop>
the ports were choked with unsold <crop>
""",
        "source": """
Agriculture Minister <person>|a grain trader in <city>|the <nat> farmers ' union
crop expert <person>
an official of the <nat> Agriculture Ministry|farm leader <person>
""",
        "quote": """
we cannot sell <crop> at prices like these and survive
one good shower would save half of the harvest
consumers in <country> have nothing to fear from our <animal>
the quality of the <crop> is the best for years
""",
        "traded": "sold|shipped|offered|exported|promised",
        "changed": "fell|rose|recovered|shrank|grew",
        "rank": "lowest level|highest level|best figure|poorest figure",
        "protested": "blocked roads|burned tyres|drove tractors into the city|staged a rally",
        "pest": "locusts|frost|beetles|rust|mildew|hail|army worms|fruit flies",
    },
    "security": {
        "event": """
police in <city> arrested <number> men suspected of <@plot>
customs officers at the port of <city> seized #20-900 kg of <@goods> hidden in a cargo of <crop>
gunmen <@attacked> a <building> in <region> <country> and wounded <few> guards
<number> <@fighters> gave up their arms to <nat> troops near <city>
a bomb planted in a <vehicle> <@exploded> outside a <building> in <city>
soldiers freed <few> hostages held by <@fighters> in <region> <country>
robbers took <money> from a branch of <company> in <city>
<number> prisoners escaped from a jail in <city> through a tunnel #20-90 metres long
""",
        "detail": """
detectives followed the gang for #2-11 months
an anonymous caller gave a warning to the newspaper <paper>
a ceasefire between troops and <@fighters> ended
guards were said to be short of men and weapons
border patrols were doubled in <month>
<nat> police passed on a list of names
the army sealed off roads around <city>
""",
        "source": """
police chief <person>|army spokesman Colonel <person>|an Interior Ministry official
a witness , <person> ,
a detective in <city>|General <person>|security sources in <city>
""",
        "quote": """
we know who they are and we are going to find them
there were shots and then people began to run
this was planned by people who knew the <building> well
nobody has claimed responsibility so far
""",
        "plot": """
kidnapping|car theft|gun running|bank robbery|drug trafficking|counterfeiting|extortion
""",
        "goods": "heroin|cocaine|ivory|cigarettes|counterfeit watches|hashish|stolen jewellery",
        "attacked": "fired on|stormed|ambushed guards at|set fire to|surrounded",
        "exploded": "exploded|went off without injuring anyone|was defused|failed to explode",
        "fighters": "rebels|guerrillas|militiamen|separatists|mutineers|bandits",
    },
}
