"""Words and frames of the newswire grammar that every subject shares.

Alternatives stand on lines of their own or between bars. ``<name>`` is a rule, ``<@name>`` the rule
of the sentence's subject, and ``#2-9`` a whole number drawn from that range. No alternative comes
twice in a sentence unless all of its rule's have come. "a" becomes "an" where it should.
"""

# Whole sentences without the final stop. Details are clauses in the past tense, fit for "after".
FRAMES = """
<@event> <when> , <@source> said , <link> <@detail>
<@event> <link> <@detail> , <@source> <said> <when>
<@source> <said> <when> that <@event> <link> <@detail>
<opener> <@event> , and <@source> said <@detail>
<opener> <@event> , <link> <@detail> , according to <@source>
<Link> <@detail> , <@event> , <@source> <said> <when>
according to <@source> , <@event> <when> , <link> <@detail>
" <@quote> , " <@source> <told> <when> , <link> <@event>
" <@quote> , " said <@source> <when> , <link> <@event>
<@event> , but <@source> <warned> <when> that <@detail>
<@event> and <@detail> , <@source> <warned> in a statement <issued> <when>
<@source> , asked about the reports <when> , said that <@detail> and that <@event>
<number> <periods> after <@detail> , <@event> , <@source> <said> <when>
<when_first> <@source> <told> that <@event> , <link> <@detail>
<when_first> <@event> , <link> <@detail> , and <@source> said more news was expected <next>
"""

# What a sentence that is still too short goes on with.
CODAS = """
, while <@event> | , and <@event> | , <link> <@detail> | , even as <@detail>
"""

LEXICON = {
    "first": """
Adela|Agnes|Albert|Alice|Amir|Andrea|Anita|Anton|Arthur|Astrid|Beatriz|Bernard|Boris|Bruno|Carla
Carlos|Cecilia|Chen|Clara|Colin|Dagmar|Daniel|David|Diego|Dmitri|Edith|Eduardo|Elena|Emil|Erik
Esther|Fatima|Felix|Fiona|Frank|Gabriel|Georg|Gloria|Hamid|Hannah|Hans|Helen|Henrik|Hiroshi|Hugo
Ibrahim|Igor|Ingrid|Irene|Ivan|Jacob|Janet|Jean|Joan|Johan|Jorge|Josef|Judith|Karim|Karl|Katrin
Kofi|Laura|Leon|Lin|Louise|Lucia|Luis|Magda|Marcel|Maria|Mariam|Marko|Martin|Matteo|Mei|Miguel
Milan|Nadia|Neil|Nikolai|Nina|Olga|Omar|Oscar|Pablo|Patrick|Paula|Peter|Petra|Pierre|Rafael|Rajiv
Rosa|Ruth|Samuel|Sanjay|Simon|Sofia|Stefan|Susan|Tariq|Teresa|Thomas|Tomas|Vera|Victor|Walter|Yuki
""",
    "last": """
Aalto|Abbott|Adeyemi|Aguilar|Ahmadi|Alvarez|Andersen|Bakker|Banda|Barros|Becker|Bellini|Berg
Bianco
Blackwood|Boateng|Bondar|Brandt|Calder|Castillo|Cerny|Chandra|Costa|Cullen|Dahl|Delacroix|Demir
Diaz
Doyle|Dubois|Ebert|Eklund|Esposito|Falk|Farouk|Ferreira|Fischer|Fontaine|Foster|Fujita|Galvez
Garner
Georgiou|Gomes|Greene|Gruber|Haddad|Halloran|Hansen|Harding|Hassan|Hoffman|Holt|Horvat|Ibsen
Ivanov
Jansen|Jimenez|Jovanovic|Kamara|Kaplan|Keller|Khan|Kimura|Kovacs|Kowalski|Larsen|Laurent|Lindgren
Lopez|Lukas|Mahmoud|Marchetti|Marsh|Mbeki|Mendoza|Mercer|Meyer|Mori|Moreau|Nagy|Nakamura|Navarro
Nilsen|Novak|Oduya|Okafor|Olsen|Ortega|Osei|Park|Patel|Pereira|Petrov|Pham|Quinn|Rahman|Ramos
Reyes
Ricci|Rojas|Rossi|Rowe|Saito|Salazar|Santos|Sato|Schneider|Sharma|Silva|Simic|Sokolov|Soto|Strand
Suzuki|Tanaka|Thorne|Torres|Vargas|Vasquez|Vidal|Virtanen|Vogel|Wagner|Walsh|Weber|Winter|Wolf
Yilmaz
""",
    "person": "<first> <last>",
    "city": """
Aberdeen|Accra|Adelaide|Ankara|Antwerp|Athens|Auckland|Baltimore|Bangkok|Barcelona|Basle|Belgrade
Bergen|Berlin|Bogota|Bologna|Bombay|Bonn|Bordeaux|Boston|Bratislava|Brisbane|Brussels|Bucharest
Budapest|Buenos Aires|Cairo|Calcutta|Cape Town|Caracas|Cardiff|Casablanca|Chicago|Cologne|Colombo
Copenhagen|Cracow|Dakar|Dallas|Damascus|Denver|Dhaka|Dublin|Durban|Florence|Frankfurt|Geneva|Genoa
Glasgow|Gothenburg|Hamburg|Hanoi|Harare|Havana|Helsinki|Houston|Islamabad|Istanbul|Jakarta
Johannesburg
Kampala|Karachi|Kiev|Kingston|Lagos|Lahore|Leeds|Leipzig|Lille|Lima|Lisbon|Liverpool|Ljubljana
Lusaka
Lyon|Madras|Madrid|Manchester|Manila|Marseille|Melbourne|Mexico City|Miami|Milan|Minsk|Montevideo
Montreal|Munich|Nairobi|Nantes|Naples|Nicosia|Osaka|Oslo|Ottawa|Palermo|Paris|Perth|Porto|Prague
Quito
Riga|Rome|Rotterdam|Santiago|Sarajevo|Seattle|Seoul|Seville|Singapore|Sofia|Stockholm|Stuttgart
Sydney
Taipei|Tallinn|Tirana|Tokyo|Toronto|Toulouse|Trieste|Tunis|Turin|Valencia|Vancouver|Vienna|Vilnius
Warsaw|Wellington|Yokohama|Zagreb|Zurich
""",
    "country": """
Albania|Algeria|Angola|Argentina|Australia|Austria|Bangladesh|Belgium|Bolivia|Brazil|Bulgaria
Cambodia
Cameroon|Canada|Chile|China|Colombia|Croatia|Cuba|Cyprus|Denmark|Ecuador|Egypt|Estonia|Ethiopia
Finland
France|Germany|Ghana|Greece|Hungary|Iceland|India|Indonesia|Ireland|Israel|Italy|Jamaica|Japan
Jordan
Kenya|Latvia|Lebanon|Lithuania|Malaysia|Malta|Mexico|Morocco|Nepal|Nigeria|Norway|Pakistan|Panama
Paraguay|Peru|Poland|Portugal|Romania|Russia|Senegal|Slovakia|Slovenia|Spain|Sweden|Syria|Tanzania
Thailand|Tunisia|Turkey|Uganda|Ukraine|Uruguay|Venezuela|Vietnam|Zambia|Zimbabwe
""",
    "nat": """
Albanian|Algerian|Argentine|Australian|Austrian|Belgian|Brazilian|British|Bulgarian|Canadian
Chilean
Chinese|Colombian|Croatian|Cuban|Czech|Danish|Dutch|Egyptian|Estonian|Finnish|French|German
Ghanaian
Greek|Hungarian|Icelandic|Indian|Indonesian|Irish|Israeli|Italian|Japanese|Kenyan|Latvian|Lebanese
Malaysian|Mexican|Moroccan|Nigerian|Norwegian|Pakistani|Peruvian|Polish|Portuguese|Romanian
Russian
Slovak|Slovenian|Spanish|Swedish|Swiss|Thai|Tunisian|Turkish|Ukrainian|Venezuelan|Vietnamese
Zambian
""",
    "region": """
northern|southern|eastern|western|central|coastal|north-eastern|south-western|mountainous
""",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "month": """
January|February|March|April|May|June|July|August|September|October|November|December
""",
    "when": """
on <day>|on <day> morning|on <day> evening|late on <day>|early on <day>|on <month> #2-28|overnight
at the weekend|this week|earlier this week|in <city> on <day>
""",
    "when_first": """
on <day> ,|late on <day> ,|early on <day> ,|at dawn on <day> ,|in <city> on <day> ,
on <month> #2-28 ,
for the <ordinal> time since <month> ,|in the <ordinal> such case this year ,
""",
    "next": """
by <day>|before the end of <month>|in the coming days|within #12-72 hours|early next week
in <month>|in the next #2-6 weeks
""",
    "opener": """
in the <region> city of <city> ,|in <city> ,|in <country> ,|in <region> <country> ,
at a meeting in <city> ,|to the surprise of many in <city> ,|for the <ordinal> year in a row ,
less than #3-11 months into the year ,|in what one newspaper called a turning point ,
despite protests in <city> ,|amid growing concern in <country> ,|as expected ,
in a development watched closely in <country> ,|against most forecasts ,|on the eve of a holiday ,
""",
    "ordinal": "first|second|third|fourth|fifth|sixth|seventh|ninth|tenth",
    "number": "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|#13-40",
    "few": "two|three|four|five|six|seven|eight|nine",
    "periods": "hours|days|weeks|months",
    "said": """
said|said|confirmed|announced|reported|acknowledged|told reporters|said in a statement
told a news conference|said in an interview
""",
    "warned": "cautioned|remarked|noted|pointed out|conceded|admitted|stressed|added",
    "told": """
told reporters|told a news conference in <city>|told a local radio station|told state television
told the newspaper <paper>|said in a telephone interview|told a crowd in <city>|said by telephone
""",
    "issued": "issued|released|read out|published|circulated|handed to reporters",
    "paper": """
Tribune|Morning Herald|Evening Post|Daily Courier|Gazette|Chronicle|Observer|Messenger
""",
    "link": """
after|after|because|even though|although|as|while|hours after|a day after|just as|shortly after
a week after|only days after|at a time when
""",
    "Link": """
after|because|even though|although|as|while|hours after|a day after|just as|shortly after
a week after
only days after|now that|a month after|at a time when|nearly a year after
""",
    "money": """
$ #2-95 million|$ #1-9.#1-9 billion|#15-900 million marks|#2-80 billion yen|#10-600 million francs
#3-90 million pounds|#1-9.#1-9 billion crowns|$ #100-950,000
""",
    "percent": "#2-48 percent|#1-9.#1-9 percent|nearly #5-60 percent|more than #5-60 percent",
    "company": """
<last> <cotail>|<coname> <cotail>|<last> and <last>|<coname>|<coname> <cotail>|<city> <cotail>
""",
    "coname": """
Alderway|Anchor|Arcadia|Bluewater|Borealis|Cascade|Centaur|Concord|Crestline|Delphi|Eastbrook
Evergreen
Falcon|Granite|Halcyon|Highmark|Horizon|Ironbridge|Juniper|Kestrel|Lakeland|Longfield|Meridian
Northgate
Oakhurst|Orbital|Paragon|Pinnacle|Redstone|Riverside|Sentinel|Silverline|Sterling|Summit|Tidewater
Trident|Unity|Vanguard|Westmoor|Zenith
""",
    "cotail": """
Corp|Group|Holdings|Industries|Bank|Motors|Steel|Airlines|Telecom|Foods|Energy|Insurance|Chemicals
Mining
Shipping|Electronics|Textiles|Brewery|Cement|Paper|Pharmaceuticals|Railways|Software|Stores
""",
    "party": """
Liberal Party|Labour Party|Green Party|Farmers ' Union|Christian Democrat party
Social Democrat party
Centre Party|National Front|People 's Party|Reform Party|Freedom Movement|Civic Alliance
Workers ' Party
""",
    "ministry": """
Foreign|Finance|Interior|Justice|Defence|Trade|Transport|Health|Education|Agriculture|Labour
Energy
Environment|Culture|Industry
""",
    "body": """
the European Commission|the United Nations|the International Monetary Fund|the World Bank
the Red Cross
the Council of Europe|the World Trade Organisation|the African Development Bank|the Arab League
""",
    "people": """
residents|students|teachers|pensioners|families|shopkeepers|farmers|commuters|tourists|volunteers
local leaders|parents|fishermen|actors|engineers|visitors
""",
    "team": "<city> <teamtail>|<city>|<city> <teamtail>|Sporting <city>|Dynamo <city>|Real <city>",
    "teamtail": "United|Rovers|Wanderers|City|Athletic|Rangers|Town|Albion|Stars|Olympic",
    "material": "copper|timber|cotton|rubber|steel|cement|zinc|nickel|aluminium|tin|glass|paper",
    "crop": """
wheat|maize|rice|barley|coffee|cocoa|sugar|tea|soybeans|potatoes|olives|tobacco|bananas
""",
    "animal": "cattle|sheep|pigs|goats|chickens|ducks|turkeys|horses",
    "disease": """
cholera|measles|malaria|influenza|typhoid|meningitis|hepatitis|tuberculosis|dengue fever
""",
    "vehicle": "bus|truck|van|taxi|tram|minibus|lorry|car|coach|freight train|tractor|milk float",
    "building": """
school|hospital|warehouse|hotel|factory|bridge|library|market|power station|theatre
""",
}
