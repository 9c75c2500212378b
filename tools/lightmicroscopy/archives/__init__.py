"""Public archives of images: where they are, how they are asked, what they hold."""
