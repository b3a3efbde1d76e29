"""How to reach us, answers to what people ask, and tips; for everybody, signed in or not.

URLs: /help, /help/articles, /help/articles/{slug}, /help/tips/{tip}.
"""
