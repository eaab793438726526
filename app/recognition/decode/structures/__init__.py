"""Structure of image files, counted before anything is decoded."""
