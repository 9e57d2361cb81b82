"""The tests mirror ``app/``; each states a promise together with its refusal."""
