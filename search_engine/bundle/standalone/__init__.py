"""Files that a bundle takes along as they are. They import nothing of this package."""
