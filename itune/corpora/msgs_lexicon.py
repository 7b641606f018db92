"""Words and rules of the MSGS grammar.

What can follow "a" begins with a consonant: nouns, modifiers and adjectives. No adjective is in
another list, and none of the others can be taken for one.
"""

NOUNS = {
    "PERSON": """
baker barber beekeeper blacksmith bookseller bricklayer butcher carpenter cashier cobbler composer
cook dancer dentist diver doctor driver drummer farmer ferryman fiddler fisherman florist gardener
glazier grocer guard gunsmith harpist hatter jeweller joiner judge juggler lawyer librarian
locksmith mason mechanic merchant midwife miller miner nurse painter pharmacist photographer piper
plumber poet porter postman potter priest printer reporter roofer saddler sailor sculptor shepherd
shopkeeper singer soldier surgeon surveyor tailor teacher tinker translator violinist waiter
watchmaker weaver welder wrestler
""",
    "THING": """
basket bench bicycle blanket bottle box bucket bundle camera candle canoe carpet cart chair chest
clock cradle cupboard curtain desk drum fence fiddle flag flute gate hammer hammock harp hat jacket
jar jug kettle kite knife ladder lamp lantern letter map mirror necklace parcel piano pipe plate pot
quilt radio raft ribbon rope rug saddle sail sandal scarf shelf shovel sofa spade spoon stool
suitcase sword table telescope tent ticket trumpet trunk tub vase violin wagon wheel whistle
""",
    "PLACE": """
bakery barn brewery bridge cabin canteen castle cathedral cellar chapel cottage courtyard dairy farm
forge fountain garage garden greenhouse harbour hospital hotel kitchen laboratory laundry library
lighthouse market meadow mill monastery museum nursery palace park pharmacy pier prison quarry
restaurant river school shop stadium station studio tavern temple theatre tower vineyard warehouse
windmill workshop yard
""",
}

# Nouns that go before a noun. Many are places, so that they do not give the label away.
MODIFIERS = """
border bridge camp carnival castle cathedral chapel circus club college company convent country
county court district factory farm festival frontier garden harbour holiday hospital hotel kitchen
market monastery mountain museum palace park prison railway reserve river school station studio
summer temple theatre town valley village wedding weekend winter
"""

ADJECTIVES = {
    "PERSON": """
bald bashful bold boring boastful brainy brave brilliant brisk cautious charitable cheerful clever
clumsy courageous courteous cruel cunning curious devout diligent discreet drowsy dutiful faithful
famous fearless feeble fierce foolish forgetful friendly frugal furious generous gentle gloomy
graceful grateful greedy grumpy gullible happy haughty healthy helpful hungry hysterical jealous
jolly jovial lazy lonely loyal lucky melancholic merciful merry mischievous modest moody nasty naive
nervous nosy peculiar pensive playful polite popular proud prudent punctual reckless reliable
religious restless rude ruthless sad sceptical selfish sensible serious shy sincere skilful sleepy
slim sober sociable stingy strict stubborn superstitious talkative tactful tall tearful thirsty
thoughtful thrifty timid truthful vain vigilant wealthy weary weird wise witty young zealous
""",
    "THING": """
beautiful big bizarre brittle bulky cheap clean colourful comfortable costly crooked damp delicate
dirty dull durable dusty fancy filthy flimsy fragile greasy grimy grubby handy harmless heavy hollow
huge large leaky lovely massive messy moist mouldy muddy narrow new peculiar pretty precious rare
rickety rusty shabby shiny simple slender slippery small smooth soft sooty spotless sticky strange
sturdy thick tiny tough valuable wet wide wobbly wonderful worthless
""",
    "PLACE": """
bare beautiful big bleak bright busy calm cheerless chilly clean cosmopolitan cosy dark desolate dim
dirty dismal drab draughty dreary dusty famous filthy foggy ghostly gloomy huge large lively lovely
luxurious magnificent messy modern muddy mysterious narrow new noisy peaceful peculiar picturesque
pleasant popular quaint quiet remote shabby shady small smelly spacious splendid spotless squalid
strange sunny tidy tiny vacant vast windy wonderful
""",
}

NAMES = """
Adela Agatha Albert Anton Astrid Barbara Beatrice Bernard Boris Bruno Carla Cecilia Clara Conrad
Dagmar Daniel Dorothy Edgar Edith Elena Erik Esther Fatima Felix Gabriel Gustav Hannah Hector Helen
Hugo Ingrid Irene Ivan Jacob Judith Karim Katrin Leon Louise Lucia Magda Marcel Martin Miguel Nadia
Nina Olga Oscar Paula Petra Rafael Ruth Samuel Simon Sofia Stefan Tariq Teresa Thomas Ursula Vera
Walter Yuki
"""

DETERMINERS = "this that every each some no"

# Said of persons, of one word and of two, where no adjective is wanted.
ROLES = """
captain chairman chancellor director goalkeeper headmaster mayor president secretary treasurer
"""
WHEREABOUTS = """
aboard abroad ashore backstage downstairs elsewhere here indoors outdoors somewhere there upstairs
"""
PHRASES = """
at church|at home|at lunch|at sea|at work|in bed|in danger|in debt|in exile|in love|in mourning
in tears|in town|in trouble|on duty|on foot|on guard|on holiday|on horseback|on leave|on parole
on strike|under arrest|under oath|without money|without work
"""

# Alternatives stand between bars or on lines of their own. <name> is another rule; capitals are a
# noun phrase, or what a person "is".
RULES = {
    "sentence": "<clause> <joint> <clause>|<opening> <clause> , <clause>",
    "joint": "and|but|while|because|although|whereas|so",
    "opening": "while|because|although|since|when|whenever",
    "clause": "<does>|<does>|<is>|<is>",
    "does": """
PERSON <aux> <greeted> PERSON|PERSON <aux> <mended> THING|PERSON <aux> <entered> PLACE
PERSON <aux> <waited> <where>|PERSON <aux> <visited> <city>
""",
    "is": "PERSON <be> COMPLEMENT|PERSON <where> <be> COMPLEMENT",
    "where": "in <city>|in PLACE|behind PLACE|beside PLACE|by PLACE",
    "aux": "||||has|had|<often>|has <often>|had <often>",
    "be": "is|was",
    "often": "always|frequently|often|rarely|seldom|sometimes|usually",
    "greeted": """
admired|amused|avoided|blamed|called|cheered|comforted|consoled|copied|deceived|defended|described
envied|feared|flattered|followed|greeted|helped|hired|hugged|ignored|impressed|invited|joined
married|mentioned|missed|mocked|noticed|obeyed|paid|phoned|pitied|praised|punished|questioned
recognised|remembered|rescued|respected|scolded|served|startled|supported|surprised|taught|teased
thanked|trusted|visited|warned|watched|welcomed
""",
    "mended": """
borrowed|carried|collected|damaged|delivered|described|dragged|dropped|examined|fetched|found
inherited|inspected|kept|lifted|lost|measured|mended|mentioned|moved|needed|noticed|packed|painted
photographed|polished|purchased|raised|repaired|sketched|sold|stored|touched|unloaded|wanted|washed
wrapped
""",
    "entered": """
approached|decorated|described|entered|guarded|inspected|left|managed|mentioned|noticed|painted
photographed|praised|reached|remembered|rented|searched|sketched|swept|visited
""",
    "waited": """
coughed|danced|lingered|laughed|prayed|prospered|rested|shivered|slept|stumbled|waited|wandered
whistled|worked|yawned
""",
    "visited": "described|left|loved|mentioned|missed|photographed|praised|reached|visited",
    "city": """
Aberdeen|Accra|Ankara|Antwerp|Athens|Baltimore|Bangkok|Belgrade|Bergen|Boston|Brussels|Budapest
Cairo|Calcutta|Cardiff|Chicago|Copenhagen|Cracow|Dakar|Damascus|Denver|Dublin|Florence|Geneva
Glasgow|Hamburg|Hanoi|Havana|Helsinki|Istanbul|Jakarta|Karachi|Lagos|Lahore|Leipzig|Lima|Lisbon
Ljubljana|Madrid|Manchester|Marseille|Melbourne|Milan|Montreal|Munich|Nairobi|Naples|Oslo|Ottawa
Palermo|Prague|Quito|Rome|Santiago|Seattle|Seoul|Stockholm|Tallinn|Tirana|Tokyo|Toronto|Tunis
Turin|Vienna|Vilnius|Warsaw|Zagreb|Zurich
""",
}
