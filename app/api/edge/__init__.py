"""What stands between the network and the routes: connections, and the time that they may take."""
