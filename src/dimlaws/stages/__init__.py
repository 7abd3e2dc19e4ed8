"""What each rule of the workflow runs."""
