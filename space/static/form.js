export async function addForm() {}
