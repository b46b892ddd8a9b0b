// The pending operations of the public interface, shared with asiortc's own.
#pragma once

#include <asiortc/detail/operation.hpp>
