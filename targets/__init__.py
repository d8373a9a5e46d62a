"""Where data lies: paths, file systems, datasets that appear whole or not at all, landings, image stores."""
