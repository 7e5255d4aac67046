"""Tables inside other tables: found, verified, and what may be deleted (R2D2)."""
