"""Credit Fujian (信用福建): the project package. Imports nothing, so that the launcher can live here too."""
