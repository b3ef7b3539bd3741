"""show: the JSON record and its views; knows the record (record.py, schema/v1.json) and nothing else of jitmagic."""
