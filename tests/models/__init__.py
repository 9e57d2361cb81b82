"""The models, on whichever database the suite runs on."""
