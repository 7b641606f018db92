"""Frames and clauses of the reviews' grammar that every product shares.

Alternatives stand on lines of their own or between bars. ``<name>`` is a rule, of the product or of
all, and ``#2-9`` a whole number drawn from that range. The brand, which is put in later, is
written ``BRAND``; each frame has it once, in a place that tells nothing of the rating.
"""

# Whole reviews. Details and verdicts are those of the rating.
FRAMES = """
<bought> . <details> . <verdict> .
<bought> and <detail> . <verdict> .
<details> . <verdict> . <brand_note> .
<details> . <brand_note> . <verdict> .
<verdict> . <bought> . <details> .
<verdict> : <details> . <brand_note> .
<brand_note> . <details> . <verdict> .
<brand_note> , and <detail> . <verdict> .
<when> <my> <item> arrived , and <detail> . <verdict> .
after <span> with <my> <item> I can say that <detail> . <verdict> .
<details> . that is <my> <item> after <span> . <verdict> .
<details> . <bought> .
<fact> . <details> . <verdict> . <bought> .
<brand_note> . <fact> . <details> .
"""

SHARED = {
    "item": """
BRAND <thing>|<thing> from BRAND|<thing> by BRAND|<thing> made by BRAND
""",
    "my": "my|our|this|the",
    "bought": """
I bought <my> <item> <when>
I picked up <my> <item> in a shop in town
we ordered <my> <item> for <person>
<person> gave me <my> <item> for my birthday
I chose <my> <item> over two others
I have owned <my> <item> for <span>
this is my <nth> <item>
<my> <item> came in <colour>
we replaced our old <thing> with one from BRAND <when>
""",
    "brand_note": """
the brand is BRAND
mine is the <colour> one by BRAND
I had not heard of BRAND before
it says BRAND on the side
BRAND sells it in #3-9 colours
a friend told me about BRAND
I wrote this for anyone thinking about BRAND
BRAND makes a smaller one as well
my sister has another <thing> by BRAND
the <colour> BRAND was the only one left
I compared BRAND with what I had before
the box from BRAND came <when>
""",
    "fact": """
I use it <often>
it came <when>
I live alone in a small flat
it was meant for <person>
I read the manual first
mine is <colour>
I have had several of these over the years
I needed one for work
I paid the full price
we are a family of #3-6
""",
    "person": """
my mother|my husband|my wife|my son|my daughter|a colleague|my grandmother|my flatmate|my brother
""",
    "when": """
in January|in March|last spring|last autumn|two weeks ago|a month ago|on Monday|before the holidays
in the summer|around Easter|at the weekend|when we moved house
""",
    "event": """
the first day|our second trip|a Sunday morning|my way to work|the third use|day #4-9|the way home
""",
    "span": """
two weeks|a month|three months|half a year|a year|#2-9 weeks|#4-11 months|a whole winter
""",
    "often": """
every day|twice a week|most mornings|at weekends|whenever <person> visits|from time to time
""",
    "nth": "first|second|third",
    "colour": "grey|dark blue|black|white|green|red|cream",
    # Of use, delivery and price, whatever the product.
    "good": """
it was well packed and came a day early
for what it costs it is a bargain
the manual is short and clear
the spare part I asked for came free of charge
it looks better than in the photos
everything about it feels solid
<person> keeps trying to steal it
it works exactly as promised
customer service answered within the hour
it has survived two small children
""",
    "bad": """
it was badly packed and came a week late
for what it costs it is a joke
the manual makes no sense in any language
I am still waiting for the spare part
it looks nothing like the photos
everything about it feels flimsy
<person> refuses to touch it
it does half of what was promised
customer service never wrote back
it did not survive our two small children
""",
}

# By rating: one detail, two or so, and what follows from them.
RATINGS = {
    "negative": {
        "detail": "<bad>",
        "details": """
<detail> , and <detail>
<detail> . <detail>
<detail> . on top of that , <detail>
I wanted to like it , but <detail>
the worst is that <detail>
it looked fine at first , but <detail>
<detail> , and to make things worse <detail>
I could live with the colour , but not with this : <detail>
""",
        "verdict": """
I sent it back|I want my money back|save your money|a waste of money|I regret buying it
I would not give it to an enemy|it went straight into the bin|one star is too many
never again|I expected much more|stay away from it|what a disappointment
I cannot recommend it to anyone|I am back to my old one|no thanks
I gave up on it after <span>|it was a mistake
""",
    },
    "mixed": {
        "detail": "<good> , but <bad>|<bad> , though <good>",
        "details": """
<good> , but <bad>
<good> . <bad>
<bad> , yet <good>
<bad> . <good>
<good> . on the other hand , <bad>
<bad> . in its favour , <good>
I like that <good> , less that <bad>
while <good> , <bad>
""",
        "verdict": """
it is neither good nor bad|I am in two minds about it|so I keep it , without much joy
three stars from me|it does the job and no more|you get what you pay for
I might buy it again , or I might not|it could be worse and it could be better
an average <thing>|good in parts|fine for now|not great , not terrible|it will do
it depends on what you need|I neither love it nor hate it|half of it is right
make of that what you will
""",
    },
    "positive": {
        "detail": "<good>",
        "details": """
<detail> , and <detail>
<detail> . <detail>
<detail> . on top of that , <detail>
I had my doubts , but <detail>
the best is that <detail>
it looked plain at first , but <detail>
<detail> , and better still <detail>
I do not care for the colour , but I do for this : <detail>
""",
        "verdict": """
I would buy it again|it is worth every penny|I have told all my friends|money well spent
I could not be happier|five stars from me|I wish I had bought it sooner|what a find
I have nothing to complain about|it makes me smile each time|highly recommended
I would not swap it for any other|a pleasure to use|it was the right choice|hard to fault
I have ordered a second one|I am a convert after <span>
""",
    },
}
