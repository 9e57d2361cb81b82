"""Parts of pages: searchable lists, icons, Markdown and cached fragments.

May import core, db and http.
"""
