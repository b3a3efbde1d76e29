"""Words everybody uses: money, time, phone numbers, units, ids, errors, language. Standard library and phonenumbers."""
