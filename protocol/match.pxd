cdef class Match:
    cdef public dict _fields, _forms
    cdef public object _hash, _shape
    cdef dict __dict__  # all others
