"""The web page: projects and their languages for people who look rather than read JSON.

To add a page:

1. Write a module with pure functions from `/status` and the store to frozen dataclasses, and a
   function `add(app, site)` with its routes. A route answers with `site.page(request, template,
   ...)`; one that changes something is a POST that reads its form by `site.form(request)`, which
   refuses forms of other sites, does its work as `site.person(request)`, and answers with
   `site.see(address)`.
2. Call its `add` in `xlt_backend.page.routes`. A page of a project is also a line of
   `xlt_backend.page.site.SECTIONS`, which is the menu of each project.
3. Write its template in `templates/`: it extends `base.html`, takes every text from the catalogue
   (`t("key")`), and puts the hidden field `token` with
   `{{ token }}` into each form. Texts of people, such as titles,
   stand in elements with `dir="auto"`. A part of a page that changes while people look has an id
   and is sent by `xlt_backend.page.live`.
4. Add its texts to `catalogues/en.toml` and to the other languages.

The policy of `xlt_backend.page.headers` allows neither inline styles nor inline scripts.
"""
