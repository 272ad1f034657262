"""Which labels are wrong, by what models believe that did not see the items."""
