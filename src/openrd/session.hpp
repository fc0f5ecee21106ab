#pragma once
// What the operator's commands share: the database for the length of one command, and answers as one JSON object a line.
#include "openrd/data.hpp"
#include "wire/json_writer.hpp"

#include <cstdio>
#include <functional>
#include <string>

namespace openrd {

// Opens the database for one command and closes it, whatever comes.
class Session {
  public:
    explicit Session(const DataPlace& place) : data_(open_existing_data(place)) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { data_.engine->close(); }

    void read(const db::Engine::Work& work) { data_.engine->read(work); }
    void write(const db::Engine::Work& work) { data_.engine->write_and_wait(work); }
    const keys::Ring& ring() const { return data_.ring; }

  private:
    Data data_;
};

inline void print(const std::string& line) { std::puts(line.c_str()); }

// One object on one line.
inline std::string object(const std::function<void(wire::JsonWriter&)>& write) {
    std::string line;
    wire::JsonWriter w(line);
    w.begin_answer({});
    write(w);
    w.end_answer({});
    return line;
}

}  // namespace openrd
