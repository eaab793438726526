"""Routes of DeepStack, and those of CodeProject.AI Server that its clients call beside them."""
