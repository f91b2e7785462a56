"""One file per claim, each runnable alone, printing figures beside their goals."""
