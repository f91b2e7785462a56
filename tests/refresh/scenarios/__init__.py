"""What a refresh does, told as scenarios: each test is named given …, when …, then …, its blocks in that order.

test_options, test_blocks, test_retention    the options of a collection at work
test_links, test_skeletons, test_unconnected_links    what a parser links, found or not
test_graph                        the order of saving, and cycles
test_layered_links                links of hosts, which several sources share
test_saving, test_versions        what is written, and which of two refreshes is the later one
test_renames                      hosts that come back under another name
test_parents, test_deletion_scope, test_listings, test_read_partly, test_guard    what goes and what never does
test_oracle                       all of that at random, held against a few lines of Python
test_flow                         from the asks to the end of a run
test_lessons                      what users of ManageIQ's refresh complained of
test_peer_defects                 twelve defects of its library, none of which is here
"""
