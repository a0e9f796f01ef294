/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The module _mmio: what a Python program does most often with a Mmio.File, without a call through introspection. It does the plain
 * case alone. What is not plain, above all every error, is left to gi/overrides/Mmio.py, which does all of it without this module too.
 * So nothing is decided here: the library checks bounds, modes and faults, and Python names the exceptions.
 */

/* One build serves every Python from 3.11 on, the first whose stable interface has buffers. */
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

/* After Python.h: both define what the system's headers look at. */
#include "config.h"

#include <mmio.h>
#include <pygobject.h>
#include <string.h>

/* A copy shorter than this takes less time than to let others run meanwhile. */
#define LET_OTHERS_RUN 4096

/* Mmio.File as Python sees it: whatever has this type, or one below, is a PyGObject. Owned; set once, by start (). */
static PyTypeObject *file_type;

static PyTypeObject *memory_type;

/* How many Memory there are of a file, as qdata of it. Changed by who has the interpreter's lock. */
static GQuark lent_quark;

static MmioFile *
get_file (PyObject *self)
{
  GObject *object = NULL;

  if (file_type != NULL && PyObject_TypeCheck (self, file_type))
    object = pygobject_get (self);
  if (object == NULL)
    PyErr_SetString (PyExc_TypeError, "not an Mmio.File, or one that was never made");
  return (MmioFile *) object;
}

/* Memory: what a memoryview looks at, and what keeps the file's pages where they are. */

typedef struct
{
  PyObject_HEAD
  MmioView *view; /* owned */
} Memory;

static void
change_lent (MmioFile *file,
            gssize    change)
{
  gssize lent = GPOINTER_TO_SIZE (g_object_get_qdata (G_OBJECT (file), lent_quark));

  g_object_set_qdata (G_OBJECT (file), lent_quark, GSIZE_TO_POINTER (lent + change));
}

static int
memory_get_buffer (PyObject  *self,
                   Py_buffer *buffer,
                   int        flags)
{
  MmioView *view = ((Memory *) self)->view;

  return PyBuffer_FillInfo (buffer, self, mmio_view_get_pointer (view), mmio_view_get_length (view), !mmio_view_is_writable (view), flags);
}

/* Memory goes when nothing looks at it any more. But by this function numpy knows that it has to look at it all the time, and that a
 * reference to what gave it is not enough.
 */
static void
release_buffer (PyObject  *self,
                Py_buffer *buffer)
{
}

static void
memory_dealloc (PyObject *self)
{
  PyTypeObject *type = Py_TYPE (self);
  freefunc free_memory = (freefunc) PyType_GetSlot (type, Py_tp_free);
  MmioView *view = ((Memory *) self)->view;

  if (view != NULL)
    {
      change_lent (mmio_view_get_file (view), -1);
      /* It may be the last that holds the file, which then flushes. */
      Py_BEGIN_ALLOW_THREADS
      mmio_view_unref (view);
      Py_END_ALLOW_THREADS
    }
  free_memory (self);
  Py_DECREF (type);
}

static PyType_Slot memory_slots[] = {
  { Py_tp_doc, (void *) "A range of a file in memory, kept where it is." },
  { Py_tp_dealloc, memory_dealloc },
  { Py_bf_getbuffer, memory_get_buffer },
  { Py_bf_releasebuffer, release_buffer },
  { 0, NULL },
};

static PyType_Spec memory_spec = {
  .name = "_mmio.Memory",
  .basicsize = sizeof (Memory),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
  .slots = memory_slots,
};

/* NULL without an exception where the library refuses it. */
static PyObject *
make_memory (MmioFile *file,
             guint64   offset,
             gsize     length,
             gboolean  writable)
{
  MmioView *view = writable ? mmio_file_get_writable_view (file, offset, length, NULL) : mmio_file_get_view (file, offset, length, NULL);
  Memory *memory;

  if (view == NULL)
    return NULL;
  memory = PyObject_New (Memory, memory_type);
  if (memory == NULL)
    {
      mmio_view_unref (view);
      return NULL;
    }
  memory->view = view;
  change_lent (file, 1);
  return (PyObject *) memory;
}

/* Subscripts */

/* Whether the key is a number that is an offset as it stands, or from the end. */
static gboolean
get_offset (MmioFile *file,
            PyObject *key,
            guint64  *offset)
{
  Py_ssize_t index;

  if (!PyLong_Check (key))
    return FALSE;
  /* One that doesn't fit is cut off to the highest or the lowest, which are no offsets either. */
  index = PyNumber_AsSsize_t (key, NULL);
  if (index < 0)
    index += (Py_ssize_t) MIN (mmio_file_get_size (file), (guint64) PY_SSIZE_T_MAX);
  *offset = (guint64) index;
  return index >= 0;
}

/* Whether the key is a slice of bytes one after the other. */
static gboolean
get_range (MmioFile   *file,
           PyObject   *key,
           guint64    *offset,
           Py_ssize_t *length)
{
  Py_ssize_t start, stop, step;

  if (!PySlice_Check (key))
    return FALSE;
  if (PySlice_Unpack (key, &start, &stop, &step) < 0)
    {
      PyErr_Clear ();
      return FALSE;
    }
  /* After the slice's own numbers, whose __index__ () may have resized the file. */
  *length = PySlice_AdjustIndices ((Py_ssize_t) MIN (mmio_file_get_size (file), (guint64) PY_SSIZE_T_MAX), &start, &stop, step);
  *offset = (guint64) start;
  return step == 1;
}

static PyObject *
read_bytes (MmioFile  *file,
            guint64    offset,
            Py_ssize_t length)
{
  PyObject *bytes = PyBytes_FromStringAndSize (NULL, length);
  char *data = bytes == NULL ? NULL : PyBytes_AsString (bytes);
  gboolean success;

  if (data == NULL)
    return NULL;
  if (length < LET_OTHERS_RUN)
    success = mmio_file_read (file, offset, data, (gsize) length, NULL);
  else
    {
      Py_BEGIN_ALLOW_THREADS
      success = mmio_file_read (file, offset, data, (gsize) length, NULL);
      Py_END_ALLOW_THREADS
    }
  if (!success)
    Py_CLEAR (bytes);
  return bytes;
}

static PyObject *
get_item (PyObject *self,
          PyObject *key)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = get_file (self);
  guint64 offset;
  Py_ssize_t length;

  if (file == NULL)
    return NULL;
  if (get_offset (file, key, &offset))
    {
      guint8 value = mmio_file_get_uint8 (file, offset, &error);

      if (error == NULL)
        return PyLong_FromLong (value);
    }
  else if (get_range (file, key, &offset, &length))
    {
      PyObject *bytes = read_bytes (file, offset, length);

      if (bytes != NULL || PyErr_Occurred ())
        return bytes;
    }
  /* In a tuple, or a key that is one would be the arguments. */
  return PyObject_CallMethod (self, "_get_item", "(O)", key);
}

/* What is in value, as it was at one moment: bytes as they are, else a copy, since others may write to a buffer, or it is this file. */
static PyObject *
take_bytes (PyObject *value)
{
  Py_buffer buffer;
  PyObject *bytes;

  if (PyBytes_Check (value))
    return Py_NewRef (value);
  if (PyObject_GetBuffer (value, &buffer, PyBUF_SIMPLE) < 0)
    {
      PyErr_Clear ();
      return NULL;
    }
  bytes = PyBytes_FromStringAndSize (buffer.buf, buffer.len);
  PyBuffer_Release (&buffer);
  if (bytes == NULL)
    PyErr_Clear ();
  return bytes;
}

static gboolean
write_bytes (MmioFile *file,
             guint64   offset,
             PyObject *bytes)
{
  const char *data = PyBytes_AsString (bytes);
  gsize length = (gsize) PyBytes_Size (bytes);
  gboolean success;

  /* A policy may flush it at once. */
  Py_BEGIN_ALLOW_THREADS
  success = mmio_file_write (file, offset, data, length, NULL);
  Py_END_ALLOW_THREADS
  return success;
}

static gboolean
write_byte (MmioFile *file,
            guint64   offset,
            guint8    value)
{
  gboolean success;

  Py_BEGIN_ALLOW_THREADS
  success = mmio_file_set_uint8 (file, offset, value, NULL);
  Py_END_ALLOW_THREADS
  return success;
}

static int
set_item (PyObject *self,
          PyObject *key,
          PyObject *value)
{
  MmioFile *file = get_file (self);
  PyObject *result;
  guint64 offset;
  Py_ssize_t length;

  if (file == NULL)
    return -1;
  if (value == NULL)
    {
      PyErr_SetString (PyExc_TypeError, "bytes of a file can't be deleted");
      return -1;
    }
  if (PyLong_Check (value) && get_offset (file, key, &offset))
    {
      Py_ssize_t byte = PyNumber_AsSsize_t (value, NULL);

      if (byte >= 0 && byte < 256 && write_byte (file, offset, (guint8) byte))
        return 0;
    }
  else if (PySlice_Check (key))
    {
      /* First of all: what gives the bytes may resize the file. */
      PyObject *bytes = take_bytes (value);
      gboolean success = bytes != NULL && get_range (file, key, &offset, &length) && length == PyBytes_Size (bytes) &&
                         write_bytes (file, offset, bytes);

      Py_XDECREF (bytes);
      if (success)
        return 0;
    }
  result = PyObject_CallMethod (self, "_set_item", "OO", key, value);
  Py_XDECREF (result);
  return result == NULL ? -1 : 0;
}

static Py_ssize_t
get_length (PyObject *self)
{
  MmioFile *file = get_file (self);

  return file == NULL ? -1 : (Py_ssize_t) MIN (mmio_file_get_size (file), (guint64) PY_SSIZE_T_MAX);
}

/* Buffers */

/* The file as a buffer is its view: what looks at it looks at that. */
static int
get_buffer (PyObject  *self,
            Py_buffer *buffer,
            int        flags)
{
  MmioFile *file = get_file (self);
  PyObject *memory;
  int status;

  buffer->obj = NULL;
  if (file == NULL)
    return -1;
  memory = make_memory (file, 0, mmio_file_get_size (file), mmio_file_get_mode (file) != MMIO_MODE_READ_ONLY);
  if (memory == NULL && !PyErr_Occurred ())
    memory = PyObject_CallMethod (self, "view", NULL);
  if (memory == NULL)
    return -1;
  status = PyObject_GetBuffer (memory, buffer, flags);
  Py_DECREF (memory);
  return status;
}

static PyObject *
lend_memory (PyObject *self,
             PyObject *arguments)
{
  MmioFile *file = get_file (self);
  PyObject *memory = NULL, *lent, *length_or_none, *writable_or_none;
  Py_ssize_t offset, length = 0;
  gboolean writable;

  if (file == NULL)
    return NULL;
  if (!PyArg_ParseTuple (arguments, "nOO", &offset, &length_or_none, &writable_or_none))
    {
      PyErr_Clear ();
      Py_RETURN_NONE;
    }
  if (length_or_none == Py_None)
    length = (Py_ssize_t) MIN (mmio_file_get_size (file), (guint64) PY_SSIZE_T_MAX) - offset;
  else if (PyLong_Check (length_or_none))
    length = PyNumber_AsSsize_t (length_or_none, NULL);
  else
    offset = -1;
  if (writable_or_none == Py_None)
    writable = mmio_file_get_mode (file) != MMIO_MODE_READ_ONLY;
  else
    writable = PyObject_IsTrue (writable_or_none) > 0;
  if (offset >= 0 && length >= 0)
    memory = make_memory (file, (guint64) offset, (gsize) length, writable);
  if (memory == NULL && !PyErr_Occurred ())
    Py_RETURN_NONE;
  lent = memory == NULL ? NULL : PyMemoryView_FromObject (memory);
  Py_XDECREF (memory);
  return lent;
}

static PyObject *
count_lent_memory (PyObject *self,
          PyObject *unused)
{
  MmioFile *file = get_file (self);

  return file == NULL ? NULL : PyLong_FromSize_t (GPOINTER_TO_SIZE (g_object_get_qdata (G_OBJECT (file), lent_quark)));
}

/* Opening and closing */

static PyObject *
close_plainly (PyObject *self,
               PyObject *unused)
{
  MmioFile *file = get_file (self);
  gboolean success;

  if (file == NULL)
    return NULL;
  Py_BEGIN_ALLOW_THREADS
  success = mmio_file_close (file, NULL);
  Py_END_ALLOW_THREADS
  return PyBool_FromLong (success);
}

static PyObject *
open_plainly (PyObject *module,
              PyObject *arguments)
{
  PyObject *path, *file;
  MmioFile *opened;
  int mode;

  if (!PyArg_ParseTuple (arguments, "O&i", PyUnicode_FSConverter, &path, &mode))
    {
      PyErr_Clear ();
      Py_RETURN_NONE;
    }
  Py_BEGIN_ALLOW_THREADS
  opened = mmio_file_open (PyBytes_AsString (path), (MmioMode) mode, NULL);
  Py_END_ALLOW_THREADS
  Py_DECREF (path);
  if (opened == NULL)
    Py_RETURN_NONE;
  file = pygobject_new (G_OBJECT (opened));
  Py_BEGIN_ALLOW_THREADS
  g_object_unref (opened);
  Py_END_ALLOW_THREADS
  return file;
}

static PyObject *
get_closed (PyObject *self,
            void     *unused)
{
  MmioFile *file = get_file (self);

  return file == NULL ? NULL : PyBool_FromLong (mmio_file_is_closed (file));
}

static PyGetSetDef sequence_properties[] = {
  { "closed", get_closed, NULL, "Whether the file is closed.", NULL },
  { NULL, NULL, NULL, NULL, NULL },
};

static PyMethodDef sequence_methods[] = {
  { "_lend_memory", lend_memory, METH_VARARGS, "A memoryview of (offset, length, writable); None where the library refuses it." },
  { "_count_lent", count_lent_memory, METH_NOARGS, "How much of the file's memory is looked at." },
  { "_close", close_plainly, METH_NOARGS, "Whether the file is closed; False where the library refuses it." },
  { NULL, NULL, 0, NULL },
};

static PyType_Slot sequence_slots[] = {
  { Py_tp_doc, (void *) "What Mmio.File has from C." },
  { Py_tp_methods, sequence_methods },
  { Py_tp_getset, sequence_properties },
  { Py_mp_length, get_length },
  { Py_mp_subscript, get_item },
  { Py_mp_ass_subscript, set_item },
  { Py_bf_getbuffer, get_buffer },
  { Py_bf_releasebuffer, release_buffer },
  { 0, NULL },
};

/* Adds nothing to an object: it stands beside the class of PyGObject. */
static PyType_Spec sequence_spec = {
  .name = "_mmio.Sequence",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = sequence_slots,
};

/* Whatever has __buffer__ () in Python. From 3.12 on Python itself finds it, and there the class is an empty one. */
static int
call_buffer (PyObject  *self,
             Py_buffer *buffer,
             int        flags)
{
  PyObject *memory = PyObject_CallMethod (self, "__buffer__", "i", flags);
  int status;

  buffer->obj = NULL;
  if (memory == NULL)
    return -1;
  status = PyObject_GetBuffer (memory, buffer, flags);
  Py_DECREF (memory);
  return status;
}

static PyType_Slot buffer_slots[] = {
  { Py_tp_doc, (void *) "What has __buffer__ () is a buffer." },
  { Py_bf_getbuffer, call_buffer },
  { Py_bf_releasebuffer, release_buffer },
  { 0, NULL },
};

static PyType_Slot no_slots[] = {
  { 0, NULL },
};

/* What may wait. PyGObject makes the exception for a GError in Python, where the handler of a signal may run, and what that raises is
 * lost: it is printed, or ends the program. So the error is only told here, and the exception made where any other may be raised.
 */

/* True, or what to make a GLib.Error of. */
static PyObject *
outcome_of (const GError *error)
{
  if (error == NULL)
    Py_RETURN_TRUE;
  return Py_BuildValue ("ssi", error->message, g_quark_to_string (error->domain), error->code);
}

/* Whether it is a number between 0 and the highest. */
static gboolean
get_number (PyObject *object,
            guint64   highest,
            guint64  *number)
{
  if (!PyLong_Check (object))
    return FALSE;
  *number = PyLong_AsUnsignedLongLong (object);
  if (PyErr_Occurred ())
    {
      PyErr_Clear ();
      return FALSE;
    }
  return *number <= highest;
}

/* NULL if there is none. */
static gpointer
get_boxed (PyObject *object,
           GType     type)
{
  return pyg_boxed_check (object, type) ? pyg_boxed_get (object, void) : NULL;
}

static PyObject *
wait_plainly (PyObject *module,
              PyObject *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = NULL;
  PyObject *object, *index_object, *expected_object, *cancellable_or_none;
  MmioAtomicU32 *u32;
  MmioAtomicU64 *u64;
  guint64 index, expected;
  int timeout_ms;

  if (!PyArg_ParseTuple (arguments, "OOOiO", &object, &index_object, &expected_object, &timeout_ms, &cancellable_or_none))
    return NULL;
  u32 = get_boxed (object, MMIO_TYPE_ATOMIC_U32);
  u64 = get_boxed (object, MMIO_TYPE_ATOMIC_U64);
  if ((u32 == NULL && u64 == NULL) || !get_number (index_object, G_MAXSIZE, &index) ||
      !get_number (expected_object, u32 != NULL ? G_MAXUINT32 : G_MAXUINT64, &expected))
    Py_RETURN_NONE;
  if (cancellable_or_none != Py_None)
    {
      if (!pygobject_check (cancellable_or_none, &PyGObject_Type) || !G_IS_CANCELLABLE (pygobject_get (cancellable_or_none)))
        Py_RETURN_NONE;
      cancellable = g_object_ref (G_CANCELLABLE (pygobject_get (cancellable_or_none)));
    }

  /* Another thread may release the atomic meanwhile, but the caller's reference keeps it. */
  Py_BEGIN_ALLOW_THREADS
  if (u32 != NULL)
    mmio_atomic_u32_wait (u32, (gsize) index, (guint32) expected, timeout_ms, cancellable, &error);
  else
    mmio_atomic_u64_wait (u64, (gsize) index, expected, timeout_ms, cancellable, &error);
  g_clear_object (&cancellable);
  Py_END_ALLOW_THREADS
  return outcome_of (error);
}

static PyObject *
try_lock_plainly (PyObject *module,
                  PyObject *arguments)
{
  g_autoptr (GError) error = NULL;
  PyObject *object, *offset_object, *length_object;
  MmioFile *file;
  guint64 offset, length;
  int exclusive;

  if (!PyArg_ParseTuple (arguments, "OOOp", &object, &offset_object, &length_object, &exclusive))
    return NULL;
  file = get_file (object);
  if (file == NULL)
    return NULL;
  if (!get_number (offset_object, G_MAXUINT64, &offset) || !get_number (length_object, G_MAXUINT64, &length))
    Py_RETURN_NONE;
  Py_BEGIN_ALLOW_THREADS
  mmio_file_try_lock_range (file, offset, length, exclusive, &error);
  Py_END_ALLOW_THREADS
  return outcome_of (error);
}

static PyObject *
start (PyObject *module,
       PyObject *type)
{
  if (!PyType_Check (type))
    {
      PyErr_SetString (PyExc_TypeError, "the class Mmio.File is wanted");
      return NULL;
    }
  Py_INCREF (type);
  Py_XDECREF ((PyObject *) file_type);
  file_type = (PyTypeObject *) type;
  Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
  { "start", start, METH_O, "Tells the class whose instances are files." },
  { "open", open_plainly, METH_VARARGS, "A file of (path, mode); None where the library refuses it." },
  { "wait", wait_plainly, METH_VARARGS, "(atomic, index, expected, timeout_ms, cancellable): see outcome_of()." },
  { "try_lock", try_lock_plainly, METH_VARARGS, "(file, offset, length, exclusive): see outcome_of()." },
  { NULL, NULL, 0, NULL },
};

static PyModuleDef module_definition = {
  PyModuleDef_HEAD_INIT,
  .m_name = "_mmio",
  .m_doc = "What Mmio.File has from C: see gi/overrides/Mmio.py.",
  .m_size = -1,
  .m_methods = module_methods,
};

PyMODINIT_FUNC PyInit__mmio (void);

PyMODINIT_FUNC
PyInit__mmio (void)
{
  PyType_Spec buffer_spec = {
    .name = "_mmio.Buffer",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = Py_Version < 0x030c0000 ? buffer_slots : no_slots,
  };
  PyObject *module = PyModule_Create (&module_definition);
  PyObject *sequence, *buffer;

  if (module == NULL)
    return NULL;
  if (pygobject_init (3, 42, 0) == NULL)
    {
      Py_DECREF (module);
      return NULL;
    }
  lent_quark = g_quark_from_static_string ("mmio-python-lent");
  memory_type = (PyTypeObject *) PyType_FromSpec (&memory_spec);
  sequence = PyType_FromSpec (&sequence_spec);
  buffer = PyType_FromSpec (&buffer_spec);
  if (memory_type == NULL || sequence == NULL || PyModule_AddObjectRef (module, "Sequence", sequence) < 0 ||
      buffer == NULL || PyModule_AddObjectRef (module, "Buffer", buffer) < 0)
    Py_CLEAR (module);
  Py_XDECREF (sequence);
  Py_XDECREF (buffer);
  return module;
}
