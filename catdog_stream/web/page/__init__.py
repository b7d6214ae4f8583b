"""The page as HTML: it has all the numbers, needs no JavaScript and shows nothing unescaped.

Each section is made here alone, for the page and for what the page is told later: the script in the
browser only puts the one in the other's place.
"""
