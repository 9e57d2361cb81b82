"""Parts of pages: lists to search and sort, icons and Markdown.

May import core, db and http.
"""
