// Helps to read the coverage page: finds, filters, zooms, sorts and copies. Without it the page is whole, but still.
'use strict';
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(document.getElementById('data').textContent);
  const tools = document.getElementById('tools');
  const picture = document.querySelector('.picture');
  const whole = { from: data.start, to: data.end };
  let range = whole;
  const lanes = all('.lane').map((element, index) => {
    const svg = element.querySelector('svg');
    return {
      element, svg, marks: data.lanes[index], whole: [...svg.childNodes], drawn: whole,
      text: element.dataset.find.toLowerCase(), states: element.dataset.states.split(' '),
    };
  });
  const rows = all('#flows tbody tr');
  const points = all('#points tbody tr');
  const laneOf = new Map(lanes.map((lane) => [lane.element.dataset.flow, lane]));

  // Find and filter.

  const search = document.getElementById('find');
  const states = all('input[name=state]', tools);

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = states.filter((box) => box.checked).map((box) => box.value);
    let shown = 0;
    for (const lane of lanes) {
      lane.isShown = words.every((word) => lane.text.includes(word))
        && (wanted.length === 0 || wanted.some((state) => lane.states.includes(state)));
      lane.element.hidden = !lane.isShown;
      if (lane.isShown) lane.element.classList.toggle('even', ++shown % 2 === 0);
    }
    for (const row of rows) row.hidden = !laneOf.get(row.dataset.flow).isShown;
    let pointsShown = 0;
    for (const point of points) {
      const { flow, state, start, end } = point.dataset;
      point.hidden = !(laneOf.get(flow).isShown && (wanted.length === 0 || wanted.includes(state))
        && Number(start) < range.to && Number(end) > range.from);
      if (!point.hidden) pointsShown += 1;
    }
    const counts = [`${shown} of ${lanes.length} flows`];
    if (points.length > 0) counts.push(`${pointsShown} of ${points.length} points that need attention`);
    document.getElementById('shown').textContent = `Shown: ${counts.join(', ')}; ${timeText(range.from)} to ${timeText(range.to)}.`;
    draw();
  }

  search.addEventListener('input', filter);
  for (const box of states) box.addEventListener('change', filter);

  // Zoom. Times are seconds of Unix time.

  const [from, to] = ['from', 'to'].map((id) => document.getElementById(id));
  const least = 60;

  function timeText(seconds) { return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')}`; }

  function zoom(start, end) {
    const length = Math.min(Math.max(least, end - start), whole.to - whole.from);
    const first = Math.min(Math.max(whole.from, start), whole.to - length);
    const isWhole = first === whole.from && first + length === whole.to;
    range = isWhole ? whole : { from: first, to: first + length };
    for (const [field, time] of [[from, range.from], [to, range.to]]) field.value = timeText(time).replace(' ', 'T');
    const off = {
      in: length <= least, out: isWhole, all: isWhole, earlier: range.from <= whole.from, later: range.to >= whole.to,
    };
    for (const button of all('button[name=zoom]', tools)) button.disabled = off[button.value];
    filter();
  }

  function scaled(factor) {
    const [middle, half] = [(range.from + range.to) / 2, (range.to - range.from) / 2 * factor];
    zoom(Math.round(middle - half), Math.round(middle + half));
  }

  function moved(part) {
    const step = Math.round((range.to - range.from) * part);
    zoom(range.from + step, range.to + step);
  }

  const steps = {
    in: () => scaled(0.5), out: () => scaled(2), all: () => zoom(whole.from, whole.to),
    earlier: () => moved(-0.5), later: () => moved(0.5),
  };
  for (const button of all('button[name=zoom]', tools)) button.addEventListener('click', steps[button.value]);
  for (const field of [from, to]) {
    field.addEventListener('change', () => {
      const times = [from, to].map((input) => Date.parse(`${input.value}Z`) / 1000);
      if (times.every(Number.isFinite) && times[0] < times[1]) zoom(times[0], times[1]);
    });
  }

  // With the mouse: drag over the lanes.
  picture.addEventListener('pointerdown', (event) => {
    const svg = event.target.closest('.lane svg');
    if (!svg || event.button !== 0 || event.pointerType !== 'mouse') return;
    event.preventDefault();
    const [box, page] = [svg.getBoundingClientRect(), picture.getBoundingClientRect()];
    const band = picture.appendChild(document.createElement('div'));
    band.className = 'band';
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
      if (right - left > 4) zoom(time(left), time(right));
    };
    const listeners = [['pointermove', move], ['pointerup', up]];
    for (const [name, listener] of listeners) addEventListener(name, listener);
  });

  // Draw.

  const [width, height] = [1000, 18];
  const mostTitles = 120;

  function drawn(parent, name, attributes, text) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  }

  function position(time) { return (time - range.from) / (range.to - range.from); }

  function draw() {
    const marks = ticks();
    const axis = document.querySelector('.axis svg');
    axis.replaceChildren();
    marks.forEach(({ time, label }, index) => {
      const at = `${(position(time) * 100).toFixed(3)}%`;
      const shape = index % 2 === 1 ? { class: 'odd' } : {};
      drawn(axis, 'line', { ...shape, x1: at, x2: at, y1: 0, y2: '100%' });
      if (position(time) < 0.92) drawn(axis, 'text', { ...shape, x: at, dx: 4, y: 19 }, label);
    });
    const line = (time) => `M${Math.round(position(time) * width)} 0v${height}`;
    const grid = marks.map(({ time }) => line(time)).join('');
    const now = data.now >= range.from && data.now <= range.to ? line(data.now) : '';
    for (const lane of lanes) {
      if (!lane.isShown || lane.drawn === range) continue;
      lane.drawn = range;
      lane.svg.replaceChildren(...(range === whole ? lane.whole : []));
      if (range === whole) continue;
      drawn(lane.svg, 'path', { class: 'grid', d: grid });
      drawMarks(lane);
      drawn(lane.svg, 'path', { class: 'now', d: now });
    }
  }

  // As in the page's first picture: the most serious state last, and every problem wide enough to be visible.
  function drawMarks(lane) {
    const seen = lane.marks.filter(([, start, length]) => data.start + start < range.to
      && data.start + start + length > range.from);
    const boxes = data.states.map(() => []);
    for (const [state, start, length, count] of seen) {
      const [begin, end] = [data.start + start, data.start + start + length];
      const left = Math.max(0, position(begin) * width);
      const right = Math.min(width, Math.max(position(end) * width, left + data.states[state].least));
      boxes[state].push({ left, width: right - left, title: () =>
        `${count > 1 ? `${count} × ` : ''}${data.states[state].text}: ${timeText(begin)} … ${timeText(end)}` });
    }
    data.states.forEach(({ name, top }, state) => {
      const tall = height - 2 * top;
      if (seen.length > mostTitles) {
        const path = boxes[state].map((box) => `M${box.left.toFixed(1)} ${top}h${box.width.toFixed(1)}v${tall}h-${box.width.toFixed(1)}z`);
        if (path.length > 0) drawn(lane.svg, 'path', { class: name, d: path.join('') });
        return;
      }
      for (const box of boxes[state]) {
        const shape = { class: name, x: box.left.toFixed(1), width: box.width.toFixed(1), y: top, height: tall };
        drawn(drawn(lane.svg, 'rect', shape), 'title', {}, box.title());
      }
    });
  }

  const day = 86400;

  // At most a dozen round moments of UTC.
  function ticks() {
    const span = range.to - range.from;
    const found = [];
    const step = [60, 300, 900, 3600, 10800, 21600, 43200, day, 2 * day, 7 * day].find((length) => span / length < 11);
    if (step) {
      for (let time = Math.ceil(range.from / step) * step; time <= range.to; time += step) {
        found.push({ time, label: step < day ? timeText(time).slice(5) : timeText(time).slice(0, 10) });
      }
      return found;
    }
    const months = [1, 3, 6, 12, 24, 60, 120, 600, 1200].find((count) => span / (30 * day * count) < 11) ?? 12000;
    const first = new Date(range.from * 1000).getUTCFullYear() * 12;
    for (let month = Math.floor(first / months) * months; ; month += months) {
      const time = Date.UTC(Math.floor(month / 12), month % 12) / 1000;
      if (!(time <= range.to)) return found;
      if (time >= range.from) found.push({ time, label: timeText(time).slice(0, months % 12 === 0 ? 4 : 7) });
    }
  }

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
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
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

  async function copy(text, element) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages that came without TLS may not write there.
      getSelection().selectAllChildren(element);
      document.execCommand('copy');
    }
  }

  for (const run of all('.run')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', `Copy run ${run.textContent}`);
    run.after(button);
    button.addEventListener('click', async () => {
      await copy(run.textContent, run);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
  }

  // A link to a flow shows it even if a filter hides it.
  addEventListener('hashchange', () => {
    const row = document.getElementById(location.hash.slice(1));
    if (row?.hidden) {
      search.value = '';
      for (const box of states) box.checked = false;
      filter();
      row.scrollIntoView();
    }
  });

  tools.hidden = false;
  picture.classList.add('zoomable');
  zoom(whole.from, whole.to);
})();
