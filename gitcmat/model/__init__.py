"""Pure values and decisions: no files, no clock, no git, nothing imported from outside."""
