/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define MMIO_INSIDE

#include <mmio-version.h>

#include <mmio-atomic.h>
#include <mmio-chunk-iter.h>
#include <mmio-enums.h>
#include <mmio-enum-types.h>
#include <mmio-error.h>
#include <mmio-fault.h>
#include <mmio-file.h>
#include <mmio-input-stream.h>
#include <mmio-output-stream.h>
#include <mmio-view.h>

#undef MMIO_INSIDE
