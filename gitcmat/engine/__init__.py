"""Carries decisions out: reads facts and intent, plans, records, then acts."""
