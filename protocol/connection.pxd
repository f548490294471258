cimport cython

cdef class Connection:
    cdef public object state, version, began, _encoders, _plain
    cdef public list _out
    cdef public unsigned long long _xid
    cdef dict __dict__  # all others
    cdef object __weakref__

@cython.locals(size=Py_ssize_t, then=Py_ssize_t)
cpdef Py_ssize_t _receive_plain(object readers, bytes data, Py_ssize_t at, list events) except -1
