"""What a run of the tests says about itself: progress by time, how long each test took, and what was not run."""
