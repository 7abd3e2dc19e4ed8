"""dimlaws: what dimension decides, from data sets to judged claims."""
