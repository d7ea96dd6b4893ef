// Paste this into the console of a browser (F12) that has TÜİK's page open. It asks the page's own
// database what the line below says and saves one CSV; `tf.read_tuik` checks and reads it.
(async () => {
  const q = QUESTION;
  const plain = text => text.replace(/ı/g, 'i').replace(/İ/g, 'I').normalize('NFKD')
    .replace(/[^\x00-\x7f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim();
  const known = await fetch('/qps/csrftoken?xrfkey=0123456789abcdef',
    {headers: {'x-qlik-xrfkey': '0123456789abcdef'}});
  const open = app => new Promise((done, fail) => {
    const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/app/' + app
      + '?reloadUri=' + encodeURIComponent(location.href) + '&qlik-csrf-token='
      + encodeURIComponent(known.headers.get('qlik-csrf-token')));
    const waiting = new Map();
    let id = 1000000;
    const once = (method, handle, params) => new Promise((got, lost) => {
      waiting.set(++id, [got, lost]);
      socket.send(JSON.stringify({jsonrpc: '2.0', id, method, handle, params, delta: false}));
    });
    const ask = async (...asked) => {
      for (let n = 0; ; n++) {
        const reply = await once(...asked);
        if (!reply.error) return reply.result;
        if (reply.error.code !== 15 || n > 8) throw new Error(asked[0] + ': ' + reply.error.message);
        await new Promise(later => setTimeout(later, 1000));
      }
    };
    socket.onmessage = event => {
      const message = JSON.parse(event.data), wait = waiting.get(message.id);
      if (wait) { waiting.delete(message.id); wait[0](message); }
    };
    socket.onclose = () => {
      for (const [, lost] of waiting.values()) lost(new Error('the connection closed: run it again'));
      fail(new Error('the connection was refused'));
    };
    socket.onopen = () => done({ask, socket});
  });
  const apps = [q.app];
  for (const script of document.querySelectorAll('script[src*="index-"]'))
    for (const [, app] of (await (await fetch(script.src)).text()).matchAll(
      /VITE_APP_\w+["']?\s*[:=]\s*["']([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/g))
      apps.push(app);
  let session, doc, fields;
  for (const app of new Set(apps)) {
    try {
      session = await open(app);
      doc = (await session.ask('OpenDoc', -1, [app, '', '', '', false])).qReturn.qHandle;
    } catch { continue; }
    const tables = await session.ask('GetTablesAndKeys', doc,
      [{qcx: 10000, qcy: 10000}, {qcx: 0, qcy: 0}, 20, false, true]);
    fields = new Set(tables.qtr.flatMap(table => table.qFields.map(field => field.qName)));
    if (fields.has('MIKTAR_1') && fields.has('DOVIZ_KODU') === (q.system === 'general')) break;
    session.socket.close();
    fields = undefined;
  }
  if (!fields) throw new Error('no application of this trade system was found');
  const {ask, socket} = session;
  const cube = async (dimensions, measures) => {
    const made = (await ask('CreateSessionObject', doc, [{qInfo: {qType: 'tradeflows'},
      qHyperCubeDef: {qDimensions: dimensions.map(name => ({qDef: {qFieldDefs: [name]},
        qNullSuppression: false})), qMeasures: measures.map(text => ({qDef: {qDef: text}})),
      qSuppressZero: true, qInitialDataFetch: []}}])).qReturn;
    const size = (await ask('GetLayout', made.qHandle, [])).qLayout.qHyperCube.qSize.qcy;
    const width = dimensions.length + measures.length, rows = [];
    while (rows.length < size) {
      const page = {qTop: rows.length, qLeft: 0, qWidth: width,
        qHeight: Math.min(Math.floor(8000 / width), size - rows.length)};
      const found = await ask('GetHyperCubeData', made.qHandle, ['/qHyperCubeDef', [page]]);
      const matrix = found.qDataPages.flatMap(part => part.qMatrix);
      if (!matrix.length) throw new Error('an empty page: run it again');
      rows.push(...matrix.map(row => row.map((cell, n) => n >= dimensions.length
        || ['YIL', 'AY'].includes(dimensions[n]) ? cell.qNum : cell.qIsNull
        || cell.qElemNumber < 0 ? '' : cell.qText.trim())));
    }
    await ask('DestroySessionObject', doc, [made.qGenericId || '']);
    return {rows, size};
  };
  const sum = (measure, filters) => 'Sum({' + q.sets.map(set => '<'
    + [...filters, set].filter(Boolean).join(',') + '>').join('+') + '} ' + measure + ')';
  const flow = fields.has('IHRITH_FLAG') ? 'IHRITH_FLAG' : 'IHRITH';
  const flows = {'1': 'X', '2': 'M', ihracat: 'X', ithalat: 'M', export: 'X', exports: 'X',
    import: 'M', imports: 'M'};
  const places = (await cube(['ULKE_KODU', 'ULKE_ADI'], [sum('DOLAR', [])])).rows
    .filter(([, name]) => q.names.includes(plain(name)));
  if (!places.length) throw new Error('no such partner here');
  const who = "ULKE_KODU={'" + places.map(([number]) => number).join("','") + "'}";
  const totals = {}, lines = [];
  let counted = 0;
  const asked = ['DOLAR', 'MIKTAR_1'].map(measure => sum(measure, [who]));
  for (const [year, month, word, usd, kg] of (await cube(['YIL', 'AY', flow], asked)).rows) {
    const key = year + '-' + String(month).padStart(2, '0');
    if (key < q.start || key > q.end) continue;
    (totals[key] = totals[key] || {})[flows[plain(word)]] = [usd, kg];
  }
  for (const key of Object.keys(totals).sort()) {
    const [year, month] = key.split('-');
    const measures = ['DOLAR', 'MIKTAR_1', 'MIKTAR_2'].map(measure =>
      sum(measure, ['YIL={' + year + '}', 'AY={' + Number(month) + '}', who]));
    const part = await cube([flow, q.code, 'OLCU_ADI'], measures);
    counted += part.size;
    for (const [word, code, unit, ...amounts] of part.rows)
      lines.push([year, month, word, places[0][0], places[0][1], code, '', unit, ...amounts]);
    console.log(key, part.size);
  }
  socket.close();
  const head = {system: q.system, partner: q.partner, digits: q.digits, codes: q.codes, by: '',
    months: Object.keys(totals).sort(), counted, totals};
  const text = [q.first, '#' + JSON.stringify(head), q.columns.join(';'),
    ...lines.map(line => line.map(cell => '"' + String(cell).replace(/"/g, '""') + '"').join(';'))]
    .join('\n') + '\n';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/csv'}));
  link.download = q.file;
  link.click();
})();
