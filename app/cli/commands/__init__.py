"""The commands as the shell sees them: names, options and help texts.

What a command does is imported when it runs, so that help, completion and a mistyped command take a
quarter of a second. No file in this folder imports PyTorch, NumPy, SQLAlchemy, FastAPI, Faiss or
pydantic; a test checks that.
"""
