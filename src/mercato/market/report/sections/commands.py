"""The commands that fill what a section lacks, as a reader would type them."""

IMPORT_PRICES = "mercato market import FILE.csv --source NAME --assets assets.toml"
IMPORT_EQUITIES = "mercato market import equities.csv --source NAME --assets assets.toml"
IMPORT_DOCUMENTS = "mercato market documents import posts.jsonl --source NAME"
FETCH_GIT = "mercato market builders add PATH_OR_URL --project NAME"
