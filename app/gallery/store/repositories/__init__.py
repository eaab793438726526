"""All SQL of the gallery, one file a table. A repository lives as long as its session."""
