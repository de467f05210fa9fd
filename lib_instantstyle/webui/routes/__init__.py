"""The routes of our API and the JSON schema of a job.

May import the host's ``modules`` and FastAPI, and every room but `page` and `forms`.
"""
