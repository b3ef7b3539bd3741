"""show: the JSON record and its views. Knows the record (``record.py``, ``schema/v1.json``) and nothing else of jitmagic."""
