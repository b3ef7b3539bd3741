"""Several statements on whole arrays as one loop nest."""
