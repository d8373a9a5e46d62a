"""``python -m conf``: every setting as a row of the README's table."""

from conf.settings import describe

for one in describe():
    print(f"| `{one.name}` | `{one.default}` | {one.description} |")
