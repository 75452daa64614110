"""The engine of all flows: steps, their files, the loop that runs them, and what is emitted at the end."""
