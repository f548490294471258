"""What messages mean: data for `meaningful.py`.

`rules.py` has what single fields may say, `records.py` what several fields say together,
`matches.py` matches and the actions that fit them, `names.py` which names a version has.
"""
