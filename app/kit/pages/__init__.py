"""Parts of pages: searchable lists, icons, initials, times in words, Markdown and cached fragments.

May import core, db and http.
"""
