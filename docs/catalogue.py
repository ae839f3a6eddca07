"""A page for every operation of the catalogue, made when the documentation is built."""

import mkdocs_gen_files

import harness
from harness.report.operation_pages import operation_pages

for name, text in operation_pages(harness.catalogue().values()).items():
    with mkdocs_gen_files.open(f"catalogue/{name}", "w") as page:
        page.write(text)
