"""Did this trade grow because prices rose, or because more was shipped?"""
