"""What the reviews' grammar says of each product; see `reviews_grammar` for the notation.

Per product: ``thing`` is what it is called, ``good`` and ``bad`` are clauses about it, beside those
that every product shares.
"""

PRODUCTS = {
    "kettle": {
        "thing": "kettle|electric kettle",
        "good": """
it boils a litre in under #2-4 minutes
the lid opens with one thumb and stays shut when I pour
not a drop has leaked in <span>
the handle stays cool however often it boils
it hums so softly that the baby sleeps through it
the spout pours straight into the smallest cup
limescale wipes off with a damp cloth
it switches itself off the moment the water boils
""",
        "bad": """
it needs #9-14 minutes for a single litre
the lid springs open and spits hot water
it has leaked onto the worktop since <event>
the handle gets too hot to hold
it rattles like a tractor
the spout dribbles down the side of every cup
rust spots showed up inside within <span>
the water tastes of plastic
""",
    },
    "headset": {
        "thing": "headset|wireless headset",
        "good": """
voices come through warm and clear
the battery lasts for #3-6 days of meetings
it sits so lightly that I forget it is there
the microphone picks up my voice and not the street
it pairs with my phone within a second
the cushions have kept their shape for <span>
it shuts out the noise of the train
nobody on a call has asked me to repeat myself
""",
        "bad": """
everything sounds thin and far away
the battery is flat by lunchtime
it pinches my ears after #10-30 minutes
people on calls hear only an echo
it drops the connection whenever I stand up
the left side went silent after <span>
the cushions peel and leave black crumbs on my collar
it hisses through every quiet passage
""",
    },
    "backpack": {
        "thing": "backpack|rucksack",
        "good": """
the straps spread the weight and never chafe
my laptop stayed dry through a downpour
the zips run smoothly even when it is crammed full
there is a pocket for everything and I can find it
the seams look like new after <span>
it stands up by itself when I put it down
it fits under any aeroplane seat
the back panel lets the air through on hot days
""",
        "bad": """
the straps cut into my shoulders
my notebooks got soaked in a light drizzle
the zip jammed on <event>
a seam split after <span>
the side pocket is too shallow to hold a bottle
it tips over whenever I put it down
the buckles snap open on the stairs
the lining has torn where the laptop goes
""",
    },
    "blender": {
        "thing": "blender|stand blender",
        "good": """
it turns frozen fruit to cream in #20-50 seconds
the jug rinses clean in a moment
soup comes out without a single lump
the motor does not slow down even for ice
it takes up hardly any room on the shelf
the blades are as sharp as on the first day
the lid seals so well that nothing splashes
it stays put on its rubber feet
""",
        "bad": """
it leaves lumps of fruit at the bottom
old soup hides under the blades where no brush gets
the motor smells burnt after #2-5 minutes
ice makes it stall at once
the jug cracked after <span>
the lid pops off and paints the wall green
it walks across the worktop while it runs
it screams so loudly that the dog hides
""",
    },
    "lamp": {
        "thing": "desk lamp|reading lamp",
        "good": """
the light is soft and does not tire my eyes
the arm stays wherever I move it
it dims smoothly right down to a glow
it has burnt every evening for <span> without a flicker
the foot is heavy enough for a child's desk
it lights the page and not the whole bedroom
the switch is easy to find in the dark
it stays cool to the touch all night
""",
        "bad": """
the light is harsh and gives me a headache
the arm sags a little more every day
it flickers when I turn it down
the bulb died after <span> and cannot be replaced
it falls over if you look at it
it buzzes like a trapped fly
the switch sticks and has to be hit
the shade gets hot enough to burn a finger
""",
    },
    "keyboard": {
        "thing": "keyboard|computer keyboard",
        "good": """
the keys have just the right amount of travel
I type faster on it than on anything before
it shrugged off a whole cup of coffee
my wrists no longer ache in the evening
the letters look crisp after <span>
it is quiet enough for a shared office
it wakes up before my computer does
the batteries have lasted for <span>
""",
        "bad": """
the space bar sticks on one side
some keys type twice and others not at all
one splash of tea finished it off
my wrists ache after half an hour
the letters rubbed off within <span>
every key clacks like a typewriter
it falls asleep in the middle of a sentence
it eats a set of batteries every #5-9 days
""",
    },
    "raincoat": {
        "thing": "raincoat|rain jacket",
        "good": """
I stood in a storm for an hour and stayed bone dry
the hood turns with my head and never blows off
it breathes well even when I cycle uphill
it folds into its own pocket
the seams have held since <event>
the sleeves are long enough for once
water still runs off it after #10-20 washes
the zip glides with one cold hand
""",
        "bad": """
it soaked through in ten minutes of drizzle
the hood blows off in the slightest breeze
it is like wearing a plastic bag uphill
the seams let water in at the shoulders
the zip came off its track on <event>
the sleeves end far above my wrists
the coating flaked off after the first wash
the pockets fill with rain
""",
    },
    "tent": {
        "thing": "tent|two-person tent",
        "good": """
I can pitch it alone in #5-9 minutes
it stood firm through a night of gales
the floor stayed dry on soaked ground
there is room for two and all our boots
no mosquito has found a way in
the poles click together without any force
it packs down small enough for my bike
we woke up without a drop of condensation
""",
        "bad": """
two of us needed an hour to pitch it
it collapsed in the first gust
we woke up in a puddle
there is hardly room for one grown person
the mesh let in every mosquito on the lake
a pole splintered on <event>
it never fits back into its bag
water drips from the ceiling by morning
""",
    },
    "vacuum": {
        "thing": "vacuum cleaner|vacuum",
        "good": """
it lifts dog hair out of the carpet in one go
the cable reaches through the whole flat
it glides under the sofa without a fight
emptying it takes a moment and raises no dust
the suction is as strong as <span> ago
it is light enough to carry up three floors
I can listen to the radio while it runs
the brush has never tangled
""",
        "bad": """
it pushes crumbs around instead of lifting them
the cable is too short for one room
it gets stuck on every edge of a rug
emptying it covers me in dust
the suction faded after <span>
it weighs as much as a wardrobe
it roars so that the neighbours knock
hair wraps around the brush and stops it
""",
    },
    "grinder": {
        "thing": "coffee grinder|grinder",
        "good": """
the grind is even from coarse to powder
my espresso has never tasted so full
it grinds enough for the family in #15-40 seconds
no coffee dust flies around the kitchen
the dial clicks into place and stays there
it comes apart for cleaning without tools
it has ground every morning for <span>
the beans slide down without any shaking
""",
        "bad": """
half of the beans come out whole
my coffee turns out bitter whatever I set
it overheats after #2-4 spoons
it sprays coffee dust over the counter
the dial slips while it runs
a tooth of the mill broke within <span>
it gets clogged and has to be poked with a stick
beans jam in the funnel each morning
""",
    },
    "chair": {
        "thing": "office chair|desk chair",
        "good": """
my back has stopped hurting
the seat is firm but kind after #6-10 hours
it rolls over carpet without effort
every lever does what it says
it has not creaked once in <span>
the armrests are exactly at the height of my desk
it took me #15-25 minutes to assemble with the tool supplied
the fabric still looks fresh
""",
        "bad": """
my back hurts more than before
the seat is as hard as a church bench
a wheel broke off on <event>
it sinks slowly while I am sitting
it creaks with every breath I take
the armrests wobble and pinch
half of the screws did not fit their holes
the fabric wore through in <span>
""",
    },
    "suitcase": {
        "thing": "suitcase|cabin suitcase",
        "good": """
the wheels roll silently over cobbles
it came off the belt without a scratch
the handle locks firmly at every height
it swallows a week of clothes and shuts with ease
the shell bounced back after a fall down the stairs
the lock has worked on every one of #5-20 trips
it is so light that I never pay for excess
the straps inside keep my shirts flat
""",
        "bad": """
a wheel came off on <event>
the shell cracked on its first flight
the handle jams halfway out
it hardly shuts over two shirts and a towel
the zip burst open on the belt
the lock forgot its own number
it pulls to the left like a tired donkey
the lining smells of glue after <span>
""",
    },
}
