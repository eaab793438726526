"""Error rates, their intervals over people, and the counts behind them."""
