// Makes the coverage page interactive: finds, filters, zooms, explains, sorts and copies. Without it the page is
// complete, but still.
'use strict';
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byID = (id) => document.getElementById(id);
  const data = JSON.parse(byID('data').textContent);
  const { unit, words } = data;
  const [tools, picture, panel, tip] = [byID('tools'), document.querySelector('.picture'), byID('panel'), byID('tip')];
  const whole = { from: data.start, to: data.end };
  const initial = { from: data.from, to: data.to };
  const [width, height, day] = [1000, 18, 86400];
  let range = initial;
  let preset = '';

  // Adds children to a new element; texts stay texts.
  function make(name, attributes = {}, ...children) {
    const isDrawn = ['svg', 'path', 'rect', 'line', 'text', 'title'].includes(name);
    const element = isDrawn ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child || child === 0));
    return element;
  }

  const lanes = all('.lane').map((element, index) => {
    const lane = data.lanes[index];
    const marks = [];
    for (let at = 0, last = data.start; at < lane.marks.length; at += 5) {
      const [state, wait, length, count, line] = lane.marks.slice(at, at + 5);
      const start = last + wait * unit;
      last = start + length * unit;
      marks.push({ state, start, end: last, count, line });
    }
    return {
      ...lane, element, marks, svg: element.querySelector('svg'), title: element.querySelector('.name').textContent,
      text: element.dataset.find.toLowerCase(), properties: element.dataset.properties.split(' '), isShown: true,
    };
  });
  const laneOf = new Map(lanes.map((lane) => [lane.element.dataset.flow, lane]));
  const rows = all('#flows tbody tr');
  const points = all('#points tbody tr');

  // Times are seconds of Unix time.

  const zones = byID('zone');
  const formats = new Map();

  function offset(time, zone) {
    if (zone === 'UTC') return 0;
    if (!formats.has(zone)) {
      formats.set(zone, new Intl.DateTimeFormat('en-GB', {
        timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric',
        minute: 'numeric', second: 'numeric',
      }));
    }
    const part = Object.fromEntries(formats.get(zone).formatToParts(time * 1000).map(({ type, value }) => [type, value]));
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000 - time;
  }

  // The zone of a flow's times; without a flow, that of the axis.
  function zoneOf(lane) {
    if (zones.value !== 'flow') return zones.value;
    return lane?.zone ?? 'UTC';
  }

  function text(time, zone) {
    return new Date((time + offset(time, zone)) * 1000).toISOString().slice(0, 16).replace('T', ' ');
  }

  function spanText(from, to, zone) { return `${text(from, zone)} … ${text(to, zone)}${zone === 'UTC' ? '' : ` ${zone}`}`; }

  function lengthText(seconds) {
    const parts = [[day, 'd'], [3600, 'h'], [60, 'm'], [1, 's']].map(([size, name], index, sizes) =>
      [Math.floor((index === 0 ? seconds : seconds % sizes[index - 1][0]) / size), name]);
    return parts.filter(([count]) => count > 0).slice(0, 2).map(([count, name]) => `${count}${name}`).join(' ') || '0s';
  }

  // Filters.

  const search = byID('find');
  const filters = all('.legend li').map((item) => {
    const button = make('button', { type: 'button', 'aria-pressed': 'false' }, ...item.childNodes);
    item.append(button);
    item.hidden = false;
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
      update();
    });
    return { name: item.dataset.state, button, count: item.querySelector('.count') };
  });
  const isPressed = (filter) => filter.button.getAttribute('aria-pressed') === 'true';

  // The windows of a mark that touch a time. The windows of one mark are equally long.
  function windowsIn(mark, from, to) {
    if (mark.start >= to || mark.end <= from) return 0;
    const each = (mark.end - mark.start) / mark.count;
    return Math.ceil((Math.min(mark.end, to) - mark.start) / each) - Math.floor((Math.max(mark.start, from) - mark.start) / each);
  }

  function filter() {
    const wordsToFind = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = filters.filter(isPressed).map(({ name }) => name);
    let shown = 0;
    for (const lane of lanes) {
      lane.counts = Object.fromEntries(['late', 'repeated'].map((name) => [name, lane.properties.includes(name) ? 1 : 0]));
      data.states.forEach(({ name }, state) => {
        lane.counts[name] = lane.marks.reduce((sum, mark) => sum + (mark.state === state ? windowsIn(mark, range.from, range.to) : 0), 0);
      });
      lane.isShown = wordsToFind.every((word) => lane.text.includes(word))
        && (wanted.length === 0 || wanted.some((name) => lane.counts[name] > 0));
      lane.element.hidden = !lane.isShown;
      if (lane.isShown) shown += 1;
    }
    const kinds = wanted.filter((name) => name !== 'late');
    let pointsShown = 0;
    for (const point of points) {
      const { flow, state, start, end } = point.dataset;
      point.hidden = !(laneOf.get(flow).isShown && (kinds.length === 0 || kinds.includes(state))
        && Number(start) < range.to && Number(end) > range.from);
      if (!point.hidden) pointsShown += 1;
    }
    const counts = [`${shown} of ${lanes.length} flows`];
    if (points.length > 0) counts.push(`${pointsShown} of ${Number(byID('points').dataset.total).toLocaleString('en')} points that need attention`);
    byID('shown').textContent = `Shown: ${counts.join(', ')}; ${spanText(range.from, range.to, zoneOf())}. Choose a mark or a name to see more.`;
    count();
  }

  // Counts the windows in the time that is shown.
  function count() {
    const totals = {};
    const columns = all('#flows thead th').map((head) => head.dataset.state);
    for (const row of rows) {
      const lane = laneOf.get(row.dataset.flow);
      row.hidden = !lane.isShown;
      if (!lane.isShown) continue;
      const gaps = lane.marks.reduce((sum, mark) => sum + (data.states[mark.state].name === 'gap'
        ? Math.max(0, Math.min(mark.end, range.to) - Math.max(mark.start, range.from)) : 0), 0);
      for (const [name, count] of Object.entries(lane.counts)) totals[name] = (totals[name] ?? 0) + count;
      columns.forEach((name, column) => {
        if (!name) return;
        const cell = row.cells[column];
        const value = name === 'gaps' ? gaps : lane.counts[name];
        cell.dataset.value = value;
        cell.textContent = value === 0 ? '' : name === 'gaps' ? lengthText(value) : value.toLocaleString('en');
      });
    }
    for (const { name, count } of filters) count.textContent = (totals[name] ?? 0).toLocaleString('en');
  }

  // Zoom.

  const [from, to] = ['from', 'to'].map(byID);
  const least = 60;
  const spans = { '24h': day, '7d': 7 * day, '30d': 30 * day, '90d': 90 * day };

  function zoom(start, end, name = '') {
    const length = Math.min(Math.max(least, end - start), whole.to - whole.from);
    const first = Math.min(Math.max(whole.from, start), whole.to - length);
    range = { from: first, to: first + length };
    preset = name;
    update();
  }

  function choose(name) {
    const end = Math.min(data.now, data.to);
    if (name === 'all') zoom(whole.from, whole.to, name);
    else if (spans[name]) zoom(end - spans[name], end, name);
    else zoom(initial.from, initial.to);
  }

  function scaled(factor) {
    const [middle, half] = [(range.from + range.to) / 2, (range.to - range.from) / 2 * factor];
    zoom(Math.round(middle - half), Math.round(middle + half));
  }

  function moved(part) {
    const step = Math.round((range.to - range.from) * part);
    zoom(range.from + step, range.to + step);
  }

  const steps = { in: () => scaled(0.5), out: () => scaled(2), earlier: () => moved(-0.5), later: () => moved(0.5) };
  const buttons = all('button[name=zoom]', tools);
  for (const button of buttons) button.addEventListener('click', steps[button.value] ?? (() => choose(button.value)));
  for (const field of [from, to]) {
    field.addEventListener('change', () => {
      const times = [from, to].map((input) => {
        const time = Date.parse(`${input.value}Z`) / 1000;
        return Number.isFinite(time) ? time - offset(time - offset(time, zoneOf()), zoneOf()) : NaN;
      });
      if (times.every(Number.isFinite) && times[0] < times[1]) zoom(times[0], times[1]);
    });
  }

  function showRange() {
    const isWhole = range.from <= whole.from && range.to >= whole.to;
    const off = { in: range.to - range.from <= least, out: isWhole, earlier: range.from <= whole.from, later: range.to >= whole.to };
    for (const button of buttons) {
      button.disabled = off[button.value] ?? spans[button.value] >= whole.to - whole.from;
      if (!(button.value in off)) button.setAttribute('aria-pressed', String(preset === button.value || button.value === 'all' && isWhole));
    }
    for (const [field, time] of [[from, range.from], [to, range.to]]) field.value = text(time, zoneOf()).replace(' ', 'T');
    const note = byID('outside');
    if (note) note.hidden = range.from < data.from || range.to > data.to;
  }

  // Draw.

  const axis = document.querySelector('.axis svg');
  const labelWidth = 84;
  const position = (time) => (time - range.from) / (range.to - range.from);

  function draw() {
    const marks = ticks(Math.max(2, Math.min(11, axis.clientWidth / labelWidth)));
    axis.replaceChildren(...marks.flatMap(({ time, label }) => {
      const at = `${(position(time) * 100).toFixed(3)}%`;
      const line = make('line', { x1: at, x2: at, y1: 0, y2: '100%' });
      const isCut = (1 - position(time)) * axis.clientWidth < labelWidth;
      return isCut ? [line] : [line, make('text', { x: at, dx: 4, y: 19 }, label)];
    }));
    const line = (time) => `M${Math.round(position(time) * width)} 0v${height}`;
    const grid = marks.map(({ time }) => line(time)).join('');
    const now = data.now >= range.from && data.now <= range.to ? line(data.now) : '';
    for (const lane of lanes) {
      if (!lane.isShown) continue;
      lane.segments = segments(lane);
      lane.current = undefined;
      const paths = data.states.map(({ name, top }, state) => {
        const boxes = lane.segments.filter((segment) => segment.state === state).map(({ left, right, isAlone }) => {
          const wide = right - left - (isAlone ? 0.8 : 0);
          return `M${left} ${top}h${wide}v${height - 2 * top}h-${wide}z`;
        });
        return boxes.length === 0 ? null : make('path', { class: name, d: boxes.join('') });
      });
      lane.svg.replaceChildren(make('path', { class: 'grid', d: grid }), ...paths.filter(Boolean), make('path', { class: 'now', d: now }));
    }
  }

  // Cuts a lane into what is drawn in one piece: a window that is wide enough, or windows of one state that are not. Of
  // several states in one column the most severe wins, and every problem is wide enough to be visible.
  function segments(lane) {
    const [states, owners] = [new Int8Array(width).fill(-1), new Int32Array(width)];
    const items = [];
    const column = width / (range.to - range.from);
    for (const mark of lane.marks) {
      if (mark.start >= range.to || mark.end <= range.from) continue;
      const each = (mark.end - mark.start) / mark.count;
      if (mark.count > 1 && each * column >= 6) {
        const start = Math.max(0, Math.floor((range.from - mark.start) / each));
        const end = Math.min(mark.count, Math.ceil((range.to - mark.start) / each));
        for (let index = start; index < end; index += 1) {
          items.push({ ...mark, start: mark.start + index * each, end: mark.start + (index + 1) * each, count: 1 });
        }
      } else items.push(mark);
    }
    items.forEach((item, index) => {
      const left = Math.max(0, Math.floor((item.start - range.from) * column));
      const right = Math.min(width, Math.max(Math.ceil((item.end - range.from) * column), left + data.states[item.state].least));
      item.isAlone = item.count === 1 && right - left >= 6;
      for (let at = left; at < right; at += 1) {
        if (item.state < states[at]) continue;
        states[at] = item.state;
        owners[at] = index;
      }
    });
    const found = [];
    for (let at = 0; at < width; at += 1) {
      if (states[at] < 0) continue;
      const [item, last] = [items[owners[at]], found.at(-1)];
      const isSame = last && last.right === at && last.state === states[at]
        && (last.owner === owners[at] || !last.isAlone && !item.isAlone);
      if (isSame) last.right = at + 1;
      else found.push({ left: at, right: at + 1, state: states[at], isAlone: item.isAlone, start: item.start, end: item.end, count: 0, line: item.line, owner: -1 });
      const segment = found.at(-1);
      if (segment.owner === owners[at]) continue;
      segment.owner = owners[at];
      segment.start = Math.min(segment.start, item.start);
      segment.end = Math.max(segment.end, item.end);
      segment.count += item.count;
    }
    return found;
  }

  // Round moments of the axis's zone, at most as many as given.
  function ticks(most) {
    const zone = zoneOf();
    const span = range.to - range.from;
    const found = [];
    const add = (local, label) => {
      const time = local - offset(local - offset(local, zone), zone);
      if (time >= range.from && time <= range.to) found.push({ time, label: label(new Date(local * 1000).toISOString().replace('T', ' ')) });
    };
    const [start, end] = [range.from - day, range.to + day];
    const step = [60, 300, 900, 3600, 10800, 21600, 43200, day, 2 * day, 7 * day, 14 * day].find((length) => span / length < most);
    if (step) {
      for (let time = Math.ceil(start / step) * step; time <= end; time += step) {
        add(time, (moment) => step < day ? moment.slice(5, 16) : moment.slice(0, 10));
      }
      return found;
    }
    const months = [1, 3, 6, 12, 24, 60, 120, 600, 1200].find((count) => span / (30 * day * count) < most) ?? 12000;
    const first = new Date(start * 1000).getUTCFullYear() * 12;
    for (let month = Math.floor(first / months) * months; ; month += months) {
      const time = Date.UTC(Math.floor(month / 12), month % 12) / 1000;
      if (!(time <= end)) return found;
      add(time, (moment) => moment.slice(0, months % 12 === 0 ? 4 : 7));
    }
  }

  // Marks: pointer and keyboard.

  const counted = (segment) => segment.count > 1 ? `${segment.count.toLocaleString('en')} × ` : '';
  const runsIn = (lane, start, end) => lane.runs.filter(([first, length]) =>
    data.start + first * unit >= start && data.start + (first + length) * unit <= end);

  function markText(lane, segment) {
    const why = segment.count === 1 ? words[runsIn(lane, segment.start, segment.end)[0]?.[2]] : undefined;
    return `${counted(segment)}${data.states[segment.state].text}: ${spanText(segment.start, segment.end, zoneOf(lane))}${why ? `\n${why}` : ''}`;
  }

  // The mark below a point, or a more severe one close to it.
  function segmentAt(lane, x) {
    const box = lane.svg.getBoundingClientRect();
    const [at, near] = [(x - box.left) / box.width * width, 3 / box.width * width];
    return lane.segments.filter(({ left, right }) => left <= at + near && right >= at - near).reduce((best, segment) => {
      const distance = Math.max(segment.left - at, at - segment.right, 0);
      if (!best) return segment;
      return segment.state > best.state || segment.state === best.state && distance < Math.max(best.left - at, at - best.right, 0) ? segment : best;
    }, undefined);
  }

  function showTip(lane, segment, x) {
    tip.hidden = !segment;
    if (!segment) return;
    tip.textContent = markText(lane, segment);
    const box = lane.svg.getBoundingClientRect();
    tip.style.left = '0';
    const [wide, tall] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = `${Math.max(8, Math.min(document.documentElement.clientWidth - wide - 8, x - wide / 2))}px`;
    tip.style.top = `${box.bottom + tall + 8 > innerHeight ? box.top - tall - 6 : box.bottom + 6}px`;
  }

  function select(lane, segment) {
    lane.current = segment;
    lane.svg.querySelector('.cursor')?.remove();
    if (!segment) return;
    const wide = Math.max(6, segment.right - segment.left);
    lane.svg.append(make('rect', { class: 'cursor', x: segment.left - Math.max(0, wide - segment.right + segment.left) / 2, y: 0, width: wide, height }));
    const box = lane.svg.getBoundingClientRect();
    showTip(lane, segment, box.left + (segment.left + segment.right) / 2 / width * box.width);
    lane.svg.setAttribute('aria-valuetext', tip.textContent);
    lane.svg.setAttribute('aria-valuenow', lane.segments.indexOf(segment) + 1);
    lane.svg.setAttribute('aria-valuemax', lane.segments.length);
  }

  const laneAt = (target) => laneOf.get(target.closest?.('.lane svg')?.parentElement.dataset.flow);
  let isDragged = false;

  for (const lane of lanes) {
    lane.element.querySelector('.name').setAttribute('tabindex', -1);
    for (const [name, value] of [['role', 'slider'], ['aria-valuemin', 1], ['aria-valuenow', 1], ['aria-haspopup', 'dialog']]) lane.svg.setAttribute(name, value);
    lane.svg.setAttribute('aria-valuetext', lane.svg.getAttribute('aria-label'));
  }

  picture.addEventListener('pointermove', (event) => {
    const lane = laneAt(event.target);
    if (lane && event.pointerType === 'mouse') showTip(lane, segmentAt(lane, event.clientX), event.clientX);
    else if (!lane) tip.hidden = true;
  });
  picture.addEventListener('pointerleave', () => { tip.hidden = true; });
  picture.addEventListener('focusin', (event) => {
    const lane = laneAt(event.target);
    for (const each of lanes) if (lane) each.svg.setAttribute('tabindex', each === lane ? 0 : -1);
  });
  picture.addEventListener('focusout', (event) => {
    tip.hidden = true;
    laneAt(event.target)?.svg.querySelector('.cursor')?.remove();
  });
  picture.addEventListener('click', (event) => {
    const lane = laneAt(event.target);
    const name = event.target.closest('.name');
    if (name) {
      event.preventDefault();
      open(laneOf.get(name.parentElement.dataset.flow), undefined, name);
    } else if (lane && !isDragged) open(lane, segmentAt(lane, event.clientX), lane.svg);
  });
  picture.addEventListener('keydown', (event) => {
    const lane = laneAt(event.target);
    if (!lane || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = lane.segments.indexOf(lane.current);
    const shown = lanes.filter(({ isShown }) => isShown);
    const next = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target = {
      ArrowRight: index + 1, ArrowLeft: index < 0 ? lane.segments.length - 1 : index - 1, Home: 0, End: lane.segments.length - 1,
    }[event.key];
    if (target !== undefined) select(lane, lane.segments[Math.min(lane.segments.length - 1, Math.max(0, target))]);
    else if (next) shown[shown.indexOf(lane) + next]?.svg.focus();
    else if (event.key === 'Enter' || event.key === ' ') open(lane, lane.current, lane.svg);
    else return;
    event.preventDefault();
  });

  // With the mouse: drag over the lanes to zoom.
  picture.addEventListener('pointerdown', (event) => {
    isDragged = false;
    const lane = laneAt(event.target);
    if (!lane || event.button !== 0 || event.pointerType !== 'mouse') return;
    const [box, page] = [lane.svg.getBoundingClientRect(), picture.getBoundingClientRect()];
    const band = picture.appendChild(make('div', { class: 'band' }));
    const inside = (x) => Math.min(box.right, Math.max(box.left, x));
    const ends = (now) => [event.clientX, now.clientX].map(inside).sort((one, other) => one - other);
    const move = (now) => {
      const [left, right] = ends(now);
      band.style.left = `${left - page.left}px`;
      band.style.width = `${right - left}px`;
    };
    const up = (now) => {
      band.remove();
      for (const [name, listener] of listeners) removeEventListener(name, listener);
      const [left, right] = ends(now);
      const time = (x) => Math.round(range.from + (range.to - range.from) * (x - box.left) / box.width);
      if (right - left <= 4) return;
      isDragged = true;
      zoom(time(left), time(right));
    };
    const listeners = [['pointermove', move], ['pointerup', up]];
    for (const [name, listener] of listeners) addEventListener(name, listener);
  });

  // The panel about a flow or one of its marks.

  let opened;
  let opener;
  const maxRuns = 12;

  function copyable(name, content, label) {
    return make('div', { class: 'copyable' }, make(name, {}, content), copyButton(() => content, label));
  }

  function runItem(lane, run, hasWindow) {
    const [start, length, why] = run;
    const items = [];
    for (let at = 3; at < run.length; at += 6) {
      const [state, id, records, failure, recorded, rerun] = run.slice(at, at + 6);
      const address = data.link?.split('{run}').join(encodeURIComponent(id).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`));
      const facts = [
        records >= 0 ? `${records.toLocaleString('en')} records` : '', rerun >= 0 ? `rerun ${words[rerun]}` : '',
        `recorded ${text(data.start + recorded, zoneOf(lane))}`,
      ];
      const reason = words[failure];
      items.push(make('li', {}, make('strong', {}, data.runStates[state]), ` · ${facts.filter(Boolean).join(' · ')}`,
        id && make('div', {}, address ? make('a', { class: 'run', href: address, rel: 'noreferrer' }, id) : make('code', { class: 'run' }, id), copyButton(() => id, `Copy run ${id}`)),
        reason && make('div', { class: 'note' }, reason)));
    }
    const first = data.start + start * unit;
    return make('li', {}, hasWindow && make('div', {}, spanText(first, first + length * unit, zoneOf(lane))),
      words[why] && !items.some((item) => item.textContent.includes(words[why])) && make('div', { class: 'note' }, words[why]), make('ul', {}, ...items));
  }

  function remedies(lane, segment) {
    const meets = (start, length) => !segment || data.start + start * unit < segment.end && data.start + (start + length) * unit > segment.start;
    const reruns = segment ? lane.reruns.filter(([start, length]) => meets(start, length)) : [];
    const isSound = segment && ['succeeded', 'running'].includes(data.states[segment.state].name);
    const troubles = lane.troubles.filter(({ kind, times }) => {
      if (!segment || times.length === 0) return !segment;
      if (isSound && kind !== 'ingestedTooOften') return false;
      for (let at = 0; at < times.length; at += 2) if (meets(times[at], times[at + 1])) return true;
      return false;
    });
    return troubles.map(({ kind, headline, step, command, lines }) => {
      const own = segment && ['failed', 'tooFewRecords'].includes(kind);
      const steps = own ? reruns[0]?.[2] : step;
      const block = own ? reruns.slice(0, 5).map(([, , , text], index) =>
        index === 0 ? words[text] : words[text].replace(/^ {4}rerun:\n/, '')).join('\n') : words[lines];
      return make('li', {}, make('div', {}, make('strong', {}, words[headline])), steps >= 0 && make('div', {}, `→ ${words[steps]}`),
        command >= 0 && copyable('code', words[command], 'Copy the command'), block && copyable('pre', block, 'Copy the lines'));
    });
  }

  function about(lane, segment) {
    const zone = zoneOf(lane);
    const runs = runsIn(lane, segment.start, segment.end);
    const isGap = data.states[segment.state].name === 'gap';
    const place = segment.line > 0 ? `${lane.file}:${segment.line}` : isGap ? '' : 'no manifest declares it';
    const rest = segment.count - runs.length;
    const steps = remedies(lane, segment);
    const swatch = make('svg', { viewBox: '0 0 22 14', width: 22, height: 14, 'aria-hidden': 'true' }, make('rect', { class: data.states[segment.state].name, width: 22, height: 14 }));
    return [
      make('p', { class: 'state' }, swatch, ` ${counted(segment)}${data.states[segment.state].text}`),
      make('dl', {}, make('dt', {}, segment.count > 1 ? 'Windows' : isGap ? 'Time' : 'Window'),
        make('dd', {}, `${spanText(segment.start, segment.end, zone)} (${lengthText(segment.end - segment.start)})`),
        ...(place ? [make('dt', {}, 'Declared'), make('dd', {}, place)] : [])),
      runs.length > 0 && make('h3', {}, 'Runs'),
      runs.length > 0 && make('ul', { class: 'runs' }, ...runs.slice(0, maxRuns).map((run) => runItem(lane, run, segment.count > 1))),
      !isGap && (rest > 0 || runs.length > maxRuns) && make('p', { class: 'note' }, runs.length === 0 ? 'The runs are in the history:' : 'More runs are in the history:'),
      !isGap && (rest > 0 || runs.length > maxRuns) && lane.history && copyable('code', lane.history, 'Copy the command'),
      steps.length > 0 && make('h3', {}, 'What ends it'), steps.length > 0 && make('ul', { class: 'steps' }, ...steps),
      make('p', { class: 'buttons' }, action('Zoom to it', () => {
        const margin = Math.round((segment.end - segment.start) / 4);
        zoom(segment.start - margin, segment.end + margin);
      }), action('The whole flow', () => open(lane, undefined))),
    ];
  }

  function aboutFlow(lane) {
    const steps = remedies(lane);
    return [
      lane.status && make('p', {}, lane.status),
      make('dl', {}, make('dt', {}, 'Declared'), make('dd', {}, `${lane.file}:${lane.line}`),
        ...(lane.until === undefined ? [] : [make('dt', {}, 'Data until'), make('dd', {}, `${text(lane.until, zoneOf(lane))} (${lengthText(Math.max(0, data.now - lane.until))} ago)`)]),
        ...(lane.zone ? [make('dt', {}, 'Time zone'), make('dd', {}, lane.zone)] : [])),
      make('h3', {}, 'Days'), ...calendar(lane),
      steps.length > 0 && make('h3', {}, 'What is wrong'), steps.length > 0 && make('ul', { class: 'steps' }, ...steps),
      make('p', {}, make('a', { href: `#row-${lane.element.dataset.flow}` }, 'Row in the table')),
    ];
  }

  function action(label, act) {
    const button = make('button', { type: 'button' }, label);
    button.addEventListener('click', act);
    return button;
  }

  // A strip for each year, a column for each week, a cell for each day in its most severe state.
  function calendar(lane) {
    const zone = zoneOf(lane);
    const days = new Map();
    const latest = Math.min(Math.max(...lane.marks.map(({ end }) => end)), data.now + 366 * day);
    const earliest = latest - 6 * 366 * day;
    const local = (time) => Math.floor((time + offset(time, zone)) / day);
    for (const mark of lane.marks) {
      if (mark.start >= latest || mark.end <= earliest) continue;
      const last = local(Math.min(mark.end, latest) - 1);
      for (let date = local(Math.max(mark.start, earliest)); date <= last; date += 1) {
        const start = date * day - offset(date * day, zone);
        const known = days.get(date) ?? { state: mark.state, counts: [], start };
        known.state = Math.max(known.state, mark.state);
        known.counts[mark.state] = (known.counts[mark.state] ?? 0) + windowsIn(mark, start, start + day);
        days.set(date, known);
      }
    }
    const strips = new Map();
    for (const [date, known] of [...days].sort(([one], [other]) => one - other)) {
      const moment = new Date(date * day * 1000);
      const year = moment.getUTCFullYear();
      const weekday = (moment.getUTCDay() + 6) % 7;
      const week = Math.floor((date - weekday + 3) / 7);
      if (!strips.has(year)) strips.set(year, { first: week, cells: [], last: week, months: new Map() });
      const strip = strips.get(year);
      strip.last = week;
      const month = moment.toISOString().slice(5, 7);
      if (!strip.months.has(month)) strip.months.set(month, week - strip.first);
      const title = `${moment.toISOString().slice(0, 10)}: ${known.counts.map((count, state) => `${count.toLocaleString('en')} ${data.states[state].text}`).filter(Boolean).reverse().join(', ')}`;
      const cell = make('rect', { class: data.states[known.state].name, x: (week - strip.first) * 12 + 1, y: weekday * 12 + 13, width: 10, height: 10, 'data-start': known.start }, make('title', {}, title));
      strip.cells.push(cell);
    }
    const widthOf = ({ first, last }) => (last - first + 1) * 12 + 8;
    const widest = Math.max(...[...strips.values()].map(widthOf));
    return [...strips].reverse().map(([year, strip]) => {
      const { cells, months } = strip;
      const wide = widthOf(strip);
      const labels = [...months].filter(([, column], index, found) => index === 0 || column - found[index - 1][1] > 2)
        .map(([month, column]) => make('text', { x: column * 12 + 1, y: 9 }, month));
      const svg = make('svg', { viewBox: `0 0 ${wide} 98`, width: widest > 400 ? `${wide / widest * 100}%` : wide, role: 'img', 'aria-label': `Each day of ${year} in its most severe state` }, ...labels, ...cells);
      svg.addEventListener('click', (event) => {
        const start = Number(event.target.closest('rect')?.dataset.start ?? NaN);
        if (Number.isFinite(start)) zoom(start, start + day);
      });
      return make('figure', { class: 'calendar' }, make('figcaption', {}, String(year)), svg);
    });
  }

  function open(lane, segment, from) {
    if (from) opener = from;
    opened = { lane, segment, at: segment && Math.max(segment.start, Math.min(segment.end, (Math.max(segment.start, range.from) + Math.min(segment.end, range.to)) / 2)) };
    show();
    panel.querySelector('h2').focus();
    store();
  }

  function show() {
    document.body.classList.toggle('with-panel', Boolean(opened));
    panel.hidden = !opened;
    if (!opened) return;
    const { lane, segment } = opened;
    const close = action('Close', closePanel);
    panel.replaceChildren(make('header', {}, make('h2', { id: 'panel-title', tabindex: -1 }, lane.title), close),
      ...(segment ? about(lane, segment) : aboutFlow(lane)).filter(Boolean));
    tip.hidden = true;
  }

  function closePanel() {
    if (!opened) return;
    const { lane, segment } = opened;
    opened = undefined;
    show();
    store();
    const target = opener?.isConnected ? opener : lane.svg;
    target.focus();
    if (segment && target === lane.svg) select(lane, lane.segments.find(({ start, end }) => start < segment.end && end > segment.start));
  }

  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    tip.hidden = true;
    closePanel();
  });

  // The state in the address.

  function store() {
    const state = new URLSearchParams();
    if (preset) state.set('range', preset);
    else if (range.from !== initial.from || range.to !== initial.to) {
      state.set('from', range.from);
      state.set('to', range.to);
    }
    if (search.value) state.set('find', search.value);
    const only = filters.filter(isPressed).map(({ name }) => name);
    if (only.length > 0) state.set('only', only.join('.'));
    if (zones.value !== 'UTC') state.set('zone', zones.value);
    if (opened) state.set('flow', opened.lane.element.dataset.flow);
    if (opened?.segment) state.set('at', Math.round(opened.at));
    const hash = state.size > 0 ? `#${state}` : '';
    if (!hash && !location.hash.includes('=')) return;
    try {
      history.replaceState(null, '', hash || location.href.split('#')[0]);
    } catch {
      // An embedded page may have no address of its own.
    }
  }

  function restore() {
    const state = new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');
    search.value = state.get('find') ?? '';
    const only = (state.get('only') ?? '').split('.');
    for (const { name, button } of filters) button.setAttribute('aria-pressed', String(only.includes(name)));
    zones.value = all('option', zones).some(({ value }) => value === state.get('zone')) ? state.get('zone') : 'UTC';
    const times = ['from', 'to'].map((name) => Number(state.get(name) ?? NaN));
    const flow = laneOf.get(state.get('flow'));
    opened = undefined;
    const at = Number(state.get('at') ?? NaN);
    if (times.every(Number.isFinite) && times[0] < times[1]) zoom(...times);
    else choose(state.get('range'));
    if (!flow) return;
    const segment = flow.segments?.filter(({ start, end }) => start <= at && at <= end).sort((one, other) => other.state - one.state)[0];
    open(flow, segment, flow.svg);
  }

  function update() {
    showRange();
    filter();
    draw();
    for (const each of all('.zone')) each.textContent = zones.selectedOptions[0].textContent;
    for (const time of all('time')) {
      const lane = laneOf.get(time.closest('[data-flow]')?.dataset.flow);
      const moment = Date.parse(time.dateTime) / 1000;
      const zone = zoneOf(lane);
      const isDate = time.classList.contains('date');
      if (Number.isFinite(moment)) time.textContent = zone === 'UTC' && !isDate ? time.dateTime : text(moment, zone).slice(0, isDate ? 10 : 16);
    }
    if (!lanes.some(({ svg, isShown }) => isShown && svg.getAttribute('tabindex') === '0')) {
      lanes.forEach(({ svg }) => svg.setAttribute('tabindex', -1));
      lanes.find(({ isShown }) => isShown)?.svg.setAttribute('tabindex', 0);
    }
    if (opened) show();
    store();
  }

  new ResizeObserver(draw).observe(axis);
  search.addEventListener('input', update);
  zones.addEventListener('change', update);

  // Sort.

  function value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  }

  function compare(one, other) {
    return typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other));
  }

  for (const table of all('table')) {
    table.classList.add('sortable');
    const heads = all('thead th', table);
    heads.forEach((head, column) => {
      const button = make('button', { type: 'button' }, ...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        // Numbers are looked at from the largest down.
        const isNumber = all('tbody tr', table).some((row) => row.cells[column].dataset.value !== undefined);
        const [first, second] = isNumber ? ['descending', 'ascending'] : ['ascending', 'descending'];
        const order = head.getAttribute('aria-sort') === first ? second : first;
        for (const each of heads) each.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', order);
        const sign = order === 'ascending' ? 1 : -1;
        table.tBodies[0].append(...all('tbody tr', table).sort((one, other) =>
          sign * compare(value(one, column), value(other, column))));
      });
    });
  }

  // Copy.

  function copyButton(content, label) {
    const button = make('button', { type: 'button', class: 'copy', 'aria-label': label }, 'Copy');
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(content());
      } catch {
        // Pages that came without TLS may not write there.
        const field = document.body.appendChild(make('textarea', { class: 'copied' }));
        field.value = content();
        field.select();
        document.execCommand('copy');
        field.remove();
        button.focus();
      }
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
    return button;
  }

  for (const run of all('.run')) run.after(copyButton(() => run.textContent, `Copy run ${run.textContent}`));

  // A link to a flow shows it even if a filter hides it; any other fragment is a state to restore.
  addEventListener('hashchange', () => {
    if (location.hash.includes('=')) return restore();
    const row = byID(location.hash.slice(1));
    if (!row?.hidden) return;
    search.value = '';
    for (const { button } of filters) button.setAttribute('aria-pressed', 'false');
    update();
    row.scrollIntoView();
  });

  for (const option of all('option', zones)) {
    try {
      if (option.value !== 'flow') offset(data.now, option.value);
    } catch {
      option.remove();
    }
  }
  tools.hidden = false;
  picture.classList.add('zoomable');
  restore();
})();
