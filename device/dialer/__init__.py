"""dialer: connects to the one broker and hands the socket on; the only compartment with the network."""
