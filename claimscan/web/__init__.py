"""The page on a person's own computer: ``claimscan serve``.

``running`` starts and stops the server, ``app`` has the pages, ``guard`` keeps others out, ``shelf`` holds the documents
of one run, ``worker`` reads them in a process of their own, ``taking`` takes in what is dropped on the page.
"""
